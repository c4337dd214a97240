from hypothesis import given
from hypothesis import strategies as st

from korbert.corpus.sentences import LONGEST, bounded, split_sentences


def test_sentences_are_split_where_they_end_and_not_at_every_full_stop() -> None:
    text = "정부는 3.5% 성장을 예상했다. 총리는 “민생이 먼저다. 서두르자.”라고 말했다. U.S. 스틸은 0.3% 올랐다."
    assert split_sentences(text) == [
        "정부는 3.5% 성장을 예상했다.",
        "총리는 “민생이 먼저다. 서두르자.”라고 말했다.",
        "U.S. 스틸은 0.3% 올랐다.",
    ]


def test_sentences_stuck_together_are_parted() -> None:
    assert split_sentences("농담을 건넸다.4일 방송된 편에서는 요리를 먹었다.") == [
        "농담을 건넸다.",
        "4일 방송된 편에서는 요리를 먹었다.",
    ]


def test_a_line_end_ends_a_sentence() -> None:
    assert split_sentences("◇부고\n홍길동씨 별세\n발인은 내일") == ["◇부고", "홍길동씨 별세", "발인은 내일"]


def test_rows_of_signs_and_nothing_are_no_sentences() -> None:
    assert split_sentences("") == []
    assert split_sentences("---\n· · ·\n정부는 발표했다.\n***") == ["정부는 발표했다."]


def test_no_letter_is_lost() -> None:
    text = "정부는 오늘 발표했다! 정말일까? 그렇다… 모두 “네.”라고 답했다"
    assert "".join(split_sentences(text)).replace(" ", "") == text.replace(" ", "")


def test_a_text_without_a_full_stop_is_cut_at_spaces() -> None:
    sentences = split_sentences("정부는 오늘 새로운 " * 2_000)
    assert max(map(len, sentences)) <= LONGEST
    assert " ".join(sentences) == ("정부는 오늘 새로운 " * 2_000).strip()


@given(st.text(st.sampled_from("가나다 "), max_size=400).map(lambda text: " ".join(text.split())), st.integers(2, 50))
def test_pieces_keep_to_the_bound_and_lose_only_spaces(text: str, longest: int) -> None:
    pieces = bounded(text, longest)
    assert all(0 < len(piece) <= longest for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert pieces == [text] or len(text) > longest or not text
