from dataclasses import replace

import pytest

from korbert.config import CorpusConfig
from korbert.corpus.filters import FILTERS, KEPT, REASONS, judge

CONFIG = CorpusConfig(min_characters=20, max_characters=2_000)
GOOD = "정부는 오늘 새로운 정책을 발표했다.\n시장은 차분하게 받아들였다."


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ("짧다.", "too_short", "3 characters, least 20"),
        ("", "too_short", "0 characters, least 20"),
        ("가나다라마 " * 400, "too_long", "2400 characters, most 2000"),
        ("The government announced a new policy 오늘", "not_korean", "Hangul share 0.06, least 0.5"),
        ("2024 1,234 5,678 91011 !!! 1213", "not_korean", "Hangul share 0.00, least 0.5"),
        ("日本の首相は今日、新しい政策を発表した。市場は静かだ。", "not_korean", "Hangul share 0.00, least 0.5"),
        ("구독하기 버튼을 누르세요\n" * 9 + "끝", "repeated_lines", "share 0.88, most 0.374"),
    ],
)
def test_each_reason_is_given_with_the_number_that_decided(text: str, reason: str, detail: str) -> None:
    assert judge(text, CONFIG) == (False, reason, detail)


def test_an_article_is_kept_without_a_reason() -> None:
    assert judge(GOOD, CONFIG) == KEPT == (True, "", "")


@pytest.mark.parametrize("length", [20, 2_000])
def test_the_bounds_themselves_are_kept(length: int) -> None:
    assert judge("가" * length, CONFIG).keep


def test_jamo_count_as_hangul() -> None:
    assert judge("ㅋㅋㅋ 정말 재밌다 ㅎㅎㅎ 그렇지 않나요 ㅠㅠ", CONFIG).keep


def test_a_line_said_twice_in_a_long_text_is_no_reason() -> None:
    config = replace(CONFIG, max_characters=10_000)
    lines = [f"{number}번째 문단은 다른 이야기를 한다." for number in range(30)]
    assert judge("\n".join([*lines, lines[0]]), config).keep


def test_every_filter_has_the_name_of_its_reason() -> None:
    texts = ["짧다.", "가" * 2_001, "x" * 30, "같은 줄이 되풀이된다\n" * 9]
    assert {judge(text, CONFIG).reason for text in texts} == set(REASONS)
    assert len(FILTERS) == len(REASONS)
