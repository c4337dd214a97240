"""The months, days and windows of days that a crawl is divided into."""

from __future__ import annotations

import calendar
from datetime import date


def first_day(text: str) -> date:
    """The first day of a month `YYYY-MM`, or the day `YYYY-MM-DD` itself."""
    return date.fromisoformat(text if len(text) > 7 else f"{text}-01")


def last_day(text: str) -> date:
    """The last day of a month `YYYY-MM`, or the day `YYYY-MM-DD` itself."""
    day = first_day(text)
    return day if len(text) > 7 else day.replace(day=calendar.monthrange(day.year, day.month)[1])


def months(since: date, until: date) -> list[str]:
    """The months (YYYY-MM) of the days from `since` to `until`, both included."""
    first, last = (day.year * 12 + day.month - 1 for day in (since, until))
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(first, last + 1)]


def days(since: date, until: date, step: int = 1) -> list[str]:
    """The first days (YYYY-MM-DD) of the windows of `step` days that hold the days from `since` to `until`, both
    included. Windows begin where the calendar says and not where a crawl does: all crawls name the same ones."""
    first = since.toordinal() // step * step
    return [date.fromordinal(day).isoformat() for day in range(max(first, 1), until.toordinal() + 1, step)]
