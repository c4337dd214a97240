"""Times as Korean pages print them. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

from korbert.db.article import KST, YEARS

_STAMP = re.compile(r"(\d{4})[.-](\d{1,2})[.-](\d{1,2})\.?\s*(오전|오후)?\s*(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DAY = re.compile(r"(\d{4})[.\-/년]\s?(\d{1,2})[.\-/월]\s?(\d{1,2})(?:[.일]|(?!\d))")
_CLOCK = re.compile(r"[^\d:]{0,12}?(오전|오후)?\s?(\d{1,2})(?::|시\s?)(\d{2})(?::(\d{2}))?")
_MIDNIGHT = (None, "0", "00", None)
_LABEL = re.compile(
    r"^(?:(?:기사|최종|최초|마지막|뉴스)?\s?(?:입력|등록|승인|송고|수정|발행|게재|업데이트)\s?(?:시간|일시|일)?)\s?[:：|]?\s*"
)


def korean_time(stamp: str) -> datetime | None:
    """`2019-12-31 23:59:07` or `2019.12.31. 오후 11:59` as a time in Korea; None for anything else."""
    found = _STAMP.fullmatch(stamp.strip())
    return _moment(*found.groups()) if found else None


def labelled_time(stamp: str) -> datetime | None:
    """`korean_time`, with a label like `기사입력` before it."""
    return korean_time(_LABEL.sub("", stamp.strip()))


def machine_time(stamp: str) -> datetime | None:
    """ISO 8601 or RFC 822 as a time in Korea; what names no offset is Korean, a day alone is its midnight."""
    text = stamp.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return labelled_time(text)
    try:
        korean = moment.astimezone(KST) if moment.tzinfo else moment.replace(tzinfo=KST)
    except (OverflowError, ValueError):
        return None
    return korean if YEARS[0] <= korean.year <= YEARS[1] else None


def time_within(text: str) -> datetime | None:
    """The first day in a text, with the clock time beside it (midnight where none is)."""
    for found in _DAY.finditer(text):
        clock = _CLOCK.match(text, found.end())
        if moment := _moment(*found.groups(), *(clock.groups() if clock else _MIDNIGHT)):
            return moment
    return None


def _moment(
    year: str, month: str, day: str, half: str | None, hour: str, minute: str, second: str | None
) -> datetime | None:
    clock = int(hour)
    if half:
        if not 1 <= clock <= 12:
            return None
        clock = clock % 12 + (12 if half == "오후" else 0)
    try:
        return datetime(int(year), int(month), int(day), clock, int(minute), int(second or 0), tzinfo=KST)
    except ValueError:
        return None
