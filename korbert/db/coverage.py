"""What was covered of each source, by month: the proof that a crawl is whole, or where it is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby, pairwise

from korbert.db.connection import Connection, Cursor, transaction
from korbert.db.ledger import STATES

RECENT_DAYS = 7
"""Slices that ended in these last days are also judged alone: what was read well for ten years hides a new layout."""
LEAST_PAGES = 20
"""Fewer article pages prove nothing about a layout."""


@dataclass(frozen=True)
class Yield:
    """Article pages, and those of them that were read."""

    fetched: int = 0
    extracted: int = 0

    def __add__(self, other: Yield) -> Yield:
        return Yield(self.fetched + other.fetched, self.extracted + other.extracted)

    @property
    def share(self) -> float | None:
        """0 to 1; None where nothing was fetched."""
        return self.extracted / self.fetched if self.fetched else None

    def under(self, floor: float) -> bool:
        """Whether it falls below `floor` on pages enough to say so."""
        return self.fetched >= LEAST_PAGES and self.extracted < floor * self.fetched


@dataclass
class Month:
    """One month of one source."""

    month: str
    """YYYY-MM (Korean time); empty for slices that time does not divide, like those of a search."""
    slices: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    """By state."""
    seen: int = 0
    """Results on the slices' pages; one that several slices show counts in each."""
    total: int | None = None
    """The source's own count of results, summed over its questions; None where it gives none."""
    articles: int = 0
    """Stored, by the month in which they were published."""
    pages: Yield = field(default_factory=Yield)


@dataclass(frozen=True)
class Gap:
    """A period without a slice that is done."""

    first: str
    """Month or day."""
    last: str
    of: str = ""
    """The section or whatever else the slices ask for; empty where the source is not divided so."""


@dataclass
class Coverage:
    """One source."""

    source: str
    months: list[Month]
    """In order; the slices without a month come first."""
    gaps: list[Gap]
    """Periods without a slice that is done."""
    recent: Yield
    """Of the last `RECENT_DAYS` days."""

    @property
    def pages(self) -> Yield:
        """Over all months."""
        return sum((month.pages for month in self.months), Yield())

    def below(self, floor: float) -> list[str]:
        """What falls under the floor: the whole, the recent, or months by name. Empty: nothing."""
        named = [("all", self.pages), (f"the last {RECENT_DAYS} days", self.recent)]
        named += [(month.month, month.pages) for month in self.months if month.month]
        return [name for name, pages in named if pages.under(floor)]


def coverage(connection: Connection, source: str = "", since: str = "", until: str = "") -> list[Coverage]:
    """The coverage of one source, or of all (empty `source`), by name.

    `since` and `until` (YYYY-MM) say which months ought to be there; without them, those between the ledger's first
    and last.

    Raises:
        WorldError: when the database is lost.
    """
    with transaction(connection) as cursor:
        months: dict[str, dict[str, Month]] = defaultdict(dict)
        recent = _read_slices(cursor, source, months)
        _read_totals(cursor, source, months)
        _read_articles(cursor, source, months)
        windows = _read_windows(cursor, source)
    return [
        Coverage(
            name,
            [months[name][month] for month in sorted(months[name])],
            [
                Gap(first, last, query)
                for (_, query, _), planned in sorted(windows[name].items())
                for first, last in gaps(planned, since, until)
            ],
            recent.get(name, Yield()),
        )
        for name in sorted(months)
    ]


def gaps(windows: dict[str, bool], since: str = "", until: str = "") -> list[tuple[str, str]]:
    """Periods without a slice that is done, as (first, last).

    `windows` tells of each planned month (YYYY-MM) or day (YYYY-MM-DD) whether one is done. Months and days that
    were never planned are gaps too; where windows of several days lie apart, only the planned ones are known.
    """
    planned = sorted(windows)
    if not planned:
        return []
    daily = len(planned[0]) == 10
    first = min(f"{since}-01" if daily else since, planned[0]) if since else planned[0]
    last = max(_last_day(until) if daily else until, planned[-1]) if until else planned[-1]
    if daily and not _neighbours(planned):
        expected: Iterable[str] = planned
    else:
        expected = _days(first, last) if daily else _months(first, last)
    return _joined((window, windows.get(window, False)) for window in expected)


def _joined(windows: Iterable[tuple[str, bool]]) -> list[tuple[str, str]]:
    missing = [[window for window, _ in run] for done, run in groupby(windows, key=lambda pair: pair[1]) if not done]
    return [(run[0], run[-1]) for run in missing]


def _neighbours(days: list[str]) -> bool:
    parsed = [date.fromisoformat(day) for day in days]
    return any(later - earlier == timedelta(1) for earlier, later in pairwise(parsed))


def _days(first: str, last: str) -> Iterator[str]:
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        yield day.isoformat()
        day += timedelta(1)


def _months(first: str, last: str) -> Iterator[str]:
    day = date.fromisoformat(f"{first}-01")
    while f"{day:%Y-%m}" <= last:
        yield f"{day:%Y-%m}"
        day = (day + timedelta(31)).replace(day=1)


def _last_day(month: str) -> str:
    following = (date.fromisoformat(f"{month}-01") + timedelta(31)).replace(day=1)
    return (following - timedelta(1)).isoformat()


def _month(months: dict[str, dict[str, Month]], source: str, month: str) -> Month:
    return months[source].setdefault(month, Month(month))


def _read_slices(cursor: Cursor, source: str, months: dict[str, dict[str, Month]]) -> dict[str, Yield]:
    cursor.execute(
        "SELECT source, left(month, 7), state, count(*), sum(seen)::bigint, sum(fetched)::bigint, "
        "sum(extracted)::bigint, coalesce(sum(fetched) FILTER (WHERE recent), 0)::bigint, "
        "coalesce(sum(extracted) FILTER (WHERE recent), 0)::bigint "
        "FROM (SELECT *, updated_at > now() - make_interval(days => %s) AS recent FROM slice "
        "WHERE %s IN ('', source)) AS judged GROUP BY 1, 2, 3",
        (RECENT_DAYS, source),
    )
    recent: dict[str, Yield] = {}
    for name, month, state, count, seen, fetched, extracted, *latest in cursor.fetchall():
        entry = _month(months, name, month)
        entry.slices[state] += count
        entry.seen += seen
        entry.pages += Yield(fetched, extracted)
        recent[name] = recent.get(name, Yield()) + Yield(*latest)
    return recent


def _read_totals(cursor: Cursor, source: str, months: dict[str, dict[str, Month]]) -> None:
    """A question's total is the same on each of its pages, or grows while they are read: the greatest counts."""
    cursor.execute(
        "SELECT source, left(month, 7), sum(total)::bigint FROM ("
        "SELECT source, month, max(total) AS total FROM slice WHERE %s IN ('', source) "
        "GROUP BY source, kind, query, month) AS question GROUP BY 1, 2",
        (source,),
    )
    for name, month, total in cursor.fetchall():
        _month(months, name, month).total = total


def _read_articles(cursor: Cursor, source: str, months: dict[str, dict[str, Month]]) -> None:
    where = "WHERE source = %(source)s" if source else ""
    cursor.execute(f"SELECT source, month, count(*) FROM article {where} GROUP BY 1, 2", {"source": source})
    for name, month, count in cursor.fetchall():
        _month(months, name, f"{month:%Y-%m}").articles = count


def _read_windows(cursor: Cursor, source: str) -> dict[str, dict[tuple[str, str, int], dict[str, bool]]]:
    """Source to (kind of slice, query, length of its windows' names) to window to whether one of its slices is done."""
    cursor.execute(
        "SELECT source, kind, query, month, bool_or(state = 'done') FROM slice "
        "WHERE month <> '' AND %s IN ('', source) GROUP BY 1, 2, 3, 4",
        (source,),
    )
    windows: dict[str, dict[tuple[str, str, int], dict[str, bool]]] = defaultdict(lambda: defaultdict(dict))
    for name, kind, query, month, done in cursor.fetchall():
        windows[name][kind, query, len(month)][month] = done
    return windows
