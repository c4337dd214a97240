from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from korbert.tokenizer.alphabet import choose, count_eojeols, count_words
from korbert.tokenizer.train import blank

WORDS = st.dictionaries(st.text("가나다라마abc1.", min_size=1, max_size=5), st.integers(1, 9), max_size=30)


def test_words_are_parted_at_punctuation_and_hanja() -> None:
    eojeols = count_eojeols(["그는 “좋다”고 말했다.", "金위원장은 말했다."])
    assert eojeols["말했다."] == 2
    assert count_words(blank(), eojeols) == Counter(
        {"말했다": 2, ".": 2, "그는": 1, "“": 1, "좋다": 1, "”": 1, "고": 1, "金": 1, "위원장은": 1}
    )


@given(st.lists(st.text("가나AB1é.·金 \u0301", max_size=12), max_size=8))
def test_words_counted_fast_are_the_words_of_the_tokenizer(sentences: list[str]) -> None:
    tokenizer = blank()
    expected: Counter[str] = Counter()
    for sentence in sentences:
        pieces = tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(sentence))
        expected.update(word for word, _ in pieces)
    assert count_words(tokenizer, count_eojeols(sentences)) == expected


def test_the_most_frequent_characters_are_kept_and_ties_go_by_code_point() -> None:
    alphabet = choose({"나": 3, "다": 2, "가": 2, "라": 1}, limit=2, room=100)
    assert alphabet.first == ("가", "나")
    assert alphabet.inside == ()


def test_a_character_seen_inside_words_has_two_tokens() -> None:
    alphabet = choose({"가나": 1, "나": 1}, limit=10, room=100)
    assert alphabet.tokens() == ["가", "나", "##나"]


@given(WORDS, st.integers(1, 12), st.integers(0, 20), st.randoms())
def test_limits_are_kept_and_the_order_of_words_does_not_matter(
    words: dict[str, int], limit: int, room: int, rng
) -> None:  # type: ignore[no-untyped-def]
    alphabet = choose(words, limit, room)
    assert len(alphabet.first) <= limit
    assert len(alphabet.tokens()) <= room
    shuffled = list(words.items())
    rng.shuffle(shuffled)
    assert choose(dict(shuffled), limit, room) == alphabet
