"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from korbert.report.numbers import duration, finite, fixed, percent, power, scalar, tick, whole


@pytest.mark.parametrize(
    ("value", "words"),
    [(9.64, "9.6 s"), (59.94, "59.9 s"), (119.9, "2 min 00 s"), (3599.6, "1 h 00 min"), (3900, "1 h 05 min"),
     (180_000, "2 d 2 h"), (None, "–"), (math.nan, "–")],
)  # fmt: skip
def test_a_duration_is_rounded_before_it_is_split(value: object, words: str) -> None:
    assert duration(value) == words


def test_numbers_have_thousands_separators_and_what_is_missing_is_a_dash() -> None:
    assert (whole(1234567), fixed(1234.567, 2), percent(1, 8)) == ("1,234,567", "1,234.57", "12.5 %")
    assert (whole(None), fixed("x", 2), percent(1, 0), whole(True)) == ("–",) * 4


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, "1", True, None, [1], 10**400])
def test_only_finite_numbers_are_numbers(value: object) -> None:
    assert finite(value) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [(12345, "12,345"), (0.00042, "4.2e-4"), (6.93147, "6.931"), (0.0, "0"), (123456.7, "123,457"), ("kiwi", "kiwi")],
)
def test_a_count_of_any_kind_is_short(value: object, words: str) -> None:
    assert scalar(value) == words


def test_axis_labels_tell_neighbours_apart() -> None:
    assert [tick(v, 500_000) for v in (0, 500_000, 1_500_000)] == ["0", "500k", "1.5M"]
    assert [tick(v, 0.025) for v in (0.575, 0.6, 0.625)] == ["0.575", "0.6", "0.625"]
    assert [tick(v, 200) for v in (8800, 9000, 9200)] == ["8.8k", "9k", "9.2k"]
    assert [power(v) for v in (2e-5, 3.5e-4, 1.0)] == ["2e-5", "3.5e-4", "1e0"]
