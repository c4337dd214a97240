from datetime import date

import pytest

from crawler.discovery.windows import days, first_day, last_day, months


def test_months_are_counted_over_the_turn_of_the_year():
    assert months(date(2019, 11, 30), date(2020, 2, 1)) == ["2019-11", "2019-12", "2020-01", "2020-02"]
    assert months(date(2020, 2, 1), date(2020, 2, 29)) == ["2020-02"]


def test_days_are_counted_over_a_leap_day():
    assert days(date(2024, 2, 28), date(2024, 3, 1)) == ["2024-02-28", "2024-02-29", "2024-03-01"]


def test_windows_hold_the_whole_range_and_begin_where_the_calendar_says():
    assert days(date(2024, 2, 28), date(2024, 3, 2), 3) == ["2024-02-26", "2024-02-29"]
    assert days(date(2024, 2, 26), date(2024, 2, 28), 3) == ["2024-02-26"]
    later = days(date(2024, 3, 1), date(2024, 3, 31), 3)
    assert later[0] == "2024-02-29"
    assert set(later) < set(days(date(2024, 1, 1), date(2024, 3, 31), 3))


def test_a_range_that_ends_before_it_begins_is_empty():
    assert days(date(2024, 2, 2), date(2024, 2, 1)) == []
    assert months(date(2024, 3, 1), date(2024, 2, 1)) == []


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-12", date(2023, 12, 1), date(2023, 12, 31)),
        ("2024-02-15", date(2024, 2, 15), date(2024, 2, 15)),
    ],
)
def test_a_month_stands_for_its_first_day_and_for_its_last(text, first, last):
    assert (first_day(text), last_day(text)) == (first, last)
