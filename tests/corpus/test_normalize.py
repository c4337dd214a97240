import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from korbert.corpus.normalize import REPEATS, normalize

# Characters that meet each other's rules: jamo that compose, entities, blanks, runs, full-width forms.
TRICKY = st.text(
    st.sampled_from(
        "가각ㅋㅎ\u1100\u1161\u11a8 \n\r\t\u200b\u00a0\u3000&ampltgnbsp;#39!！ＡＺ１.·ㆍe\u0301\ufeff\ud800\u2028"
    )
)


@given(TRICKY | st.text())
@settings(max_examples=400)
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = normalize(text)
    assert normalize(once) == once


@given(TRICKY | st.text())
@settings(max_examples=400)
def test_what_comes_out_can_be_stored_and_shown(text: str) -> None:
    once = normalize(text)
    once.encode("utf-8")
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") for c in once if c != "\n")
    assert all(line == line.strip() and line and "  " not in line for line in once.split("\n")) or not once


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("한글", "한글"),  # decomposed, as macOS writes file names
        ("정\u200b부는\ufeff 오늘", "정부는 오늘"),
        ("ＫＢＳ　１００％　（주）", "KBS 100% (주)"),
        ("첫 줄\r\n\r\n  둘째\t줄 \u2028셋째", "첫 줄\n둘째 줄\n셋째"),
        ("ㅋㅋㅋㅋㅋㅋ 대박!!!!!!", "ㅋㅋㅋ 대박!!!"),
        ("연 1000000원, 2000000명", "연 1000000원, 2000000명"),
        ("Q&amp;A &lt;속보&gt; A&amp;nbsp;B", "Q&A <속보> A B"),
        ("AT&T와 R&D", "AT&T와 R&D"),
        ("서울ㆍ경기・인천∙부산", "서울·경기·인천·부산"),
        ("오전 9시～10시", "오전 9시~10시"),
        ("깨진 \ufffd글자\x00와 \ud83d반쪽", "깨진 글자와 반쪽"),
        ("金正恩", "金正恩"),  # compatibility ideographs
        ("", ""),
        (" \n\t\u3000", ""),
    ],
)
def test_text_that_looks_the_same_is_written_the_same(written: str, expected: str) -> None:
    assert normalize(written) == expected


@given(st.sampled_from("ㅋㅎㅠ!?.~-=하"), st.integers(1, 50))
def test_a_run_is_never_longer_than_the_bound(character: str, length: int) -> None:
    assert normalize("앞 " + character * length + " 뒤") == "앞 " + character * min(length, REPEATS) + " 뒤"


@given(st.text("0123456789", min_size=1, max_size=30))
def test_digits_are_never_lost(digits: str) -> None:
    assert normalize(f"번호 {digits}번") == f"번호 {digits}번"
