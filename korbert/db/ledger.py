"""The crawl ledger: slices of work that crawlers lease, finish or lose.

Any number of crawlers share it. A lease runs out, so that a killed crawler's slice is taken up by another; what the
first one brings afterwards is refused. `finish` belongs into the transaction that stores the slice's articles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from korbert.db.connection import Connection, Cursor, transaction
from korbert.errors import WorldError

KINDS = ("search", "list", "section", "feed", "api", "file")
STATES = ("pending", "leased", "done", "capped", "failed")
GRACE = timedelta(days=1)
LONGEST_WINDOW = timedelta(days=2)
"""A window that begins so much earlier holds the day too: open-data APIs are asked for 3 days at once."""
OUTCOMES = ("done", "capped", "failed", "pending")

COLUMNS = "id, source, kind, query, month, page, state, worker, leased_until, attempts, total, seen, error, cursor"

# The database's clock decides, because the clocks of many machines differ. MATERIALIZED: the inner query runs once and
# locks one row. A failed or lost slice comes after those that have not been tried.
LEASE = f"""
WITH next AS MATERIALIZED (
    SELECT id AS next_id FROM slice
    WHERE source = %(source)s AND kind = ANY(%(kinds)s) AND (
        state = 'pending' OR (state = 'leased' AND leased_until < coalesce(%(now)s, clock_timestamp()))
    )
    ORDER BY attempts, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE slice SET
    state = 'leased', worker = %(worker)s, attempts = attempts + 1, updated_at = now(),
    leased_until = coalesce(%(now)s, clock_timestamp()) + make_interval(secs => %(seconds)s)
FROM next WHERE id = next_id
RETURNING {COLUMNS}
"""


KEY_COLUMNS = ("source", "kind", "query", "month", "page", "cursor")
PLANNED = 10_000
"""Slices a statement."""
# The order of the rows is the order of their ids, and so of the leases.
PLAN = f"""
INSERT INTO slice ({", ".join(KEY_COLUMNS)})
SELECT {", ".join(KEY_COLUMNS)}
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::integer[], %s::text[])
    WITH ORDINALITY AS wanted ({", ".join(KEY_COLUMNS)}, place)
ORDER BY place
ON CONFLICT DO NOTHING
"""


class LeaseLost(WorldError):
    """The slice is no longer this worker's: the lease ran out and another took it."""


@dataclass(frozen=True)
class SliceKey:
    """What a slice is: one page of one question to one source."""

    source: str
    kind: str
    """How it is asked, one of `KINDS`: search (a query of a search API), list (a list page of a month or day), section
    (the same, its next page named by a cursor), feed (RSS or a sitemap), api (open data), file (of an archive)."""
    query: str = ""
    """The search's words, the list's section, the feed's or file's address."""
    month: str = ""
    """Month YYYY-MM, or day or first day of a window YYYY-MM-DD; empty where time does not divide the source."""
    page: int = 1
    """1 is the first."""
    cursor: str = ""
    """The source's own word for where the page begins; empty where the page's number says it."""


@dataclass(frozen=True)
class Slice:
    """A row of the ledger."""

    id: int
    source: str
    kind: str
    query: str
    month: str
    page: int
    state: str
    worker: str
    leased_until: datetime | None
    attempts: int
    """How often it was leased; with the worker's name it tells one lease from the next."""
    total: int | None
    """The source's own count of results, where it gives one."""
    seen: int
    """Results that were read."""
    error: str
    cursor: str = ""

    @property
    def key(self) -> SliceKey:
        """What the slice is, without how it stands."""
        return SliceKey(self.source, self.kind, self.query, self.month, self.page, self.cursor)


def plan(cursor: Cursor, keys: Sequence[SliceKey]) -> int:
    """Adds the slices that the ledger does not have yet, in order; answers how many were added."""
    if len(keys) > PLANNED:
        # A decade of sections and days is 175,000 slices, planned at every start: reading those that are there is
        # three times faster than having Postgres refuse each of them (measured: 4 s for 13 s).
        had = _planned(cursor, {key.source for key in keys})
        keys = [key for key in keys if key not in had]
    added = 0
    for begin in range(0, len(keys), PLANNED):
        part = keys[begin : begin + PLANNED]
        cursor.execute(PLAN, [[getattr(key, name) for key in part] for name in KEY_COLUMNS])
        added += int(cursor.rowcount)
    return added


def _planned(cursor: Cursor, sources: set[str]) -> set[SliceKey]:
    """The slices of the sources that any list begins with."""
    columns = ", ".join(KEY_COLUMNS)
    cursor.execute(f"SELECT {columns} FROM slice WHERE source = ANY(%s) AND page = 1", (list(sources),))
    return {SliceKey(*row) for row in cursor.fetchall()}


def lease(
    connection: Connection,
    source: str,
    worker: str,
    seconds: float,
    now: datetime | None = None,
    kinds: Sequence[str] = KINDS,
) -> Slice | None:
    """Gives `worker` the next slice of one of `kinds` for `seconds`, and commits; None when no slice is free now.

    Expired leases count as free. `worker` must differ between crawlers (host and process id, say). `now` stands in for
    the database's clock.
    """
    with transaction(connection) as cursor:
        cursor.execute(
            LEASE, {"source": source, "worker": worker, "seconds": seconds, "now": now, "kinds": list(kinds)}
        )
        row = cursor.fetchone()
    return Slice(*row) if row else None


def renew(cursor: Cursor, slice_: Slice, worker: str, seconds: float, now: datetime | None = None) -> None:
    """Makes the lease end `seconds` from now.

    Raises:
        LeaseLost: when the slice is another's by now.
    """
    cursor.execute(
        "UPDATE slice SET leased_until = coalesce(%s, clock_timestamp()) + make_interval(secs => %s), "
        "updated_at = now() WHERE id = %s AND state = 'leased' AND worker = %s AND attempts = %s",
        (now, seconds, slice_.id, worker, slice_.attempts),
    )
    _require_lease(cursor, slice_, worker)


def finish(
    cursor: Cursor,
    slice_: Slice,
    worker: str,
    state: str,
    total: int | None = None,
    seen: int = 0,
    error: str = "",
    *,
    fetched: int = 0,
    extracted: int = 0,
) -> None:
    """Records the outcome: done, capped (the source holds more than it shows), failed, or pending (to be tried again).

    `fetched` article pages and the `extracted` ones of them are added to those of earlier tries.

    A lease that ran out but was taken by nobody is still good.

    Raises:
        LeaseLost: when the slice is another's by now; roll back the articles stored with it.
    """
    assert state in OUTCOMES, state
    outcome = (state, total, seen, error.replace("\0", ""), fetched, extracted)
    cursor.execute(
        "UPDATE slice SET state = %s, total = coalesce(%s, total), seen = %s, error = %s, fetched = fetched + %s, "
        "extracted = extracted + %s, worker = '', leased_until = NULL, updated_at = now() "
        "WHERE id = %s AND state = 'leased' AND worker = %s AND attempts = %s",
        (*outcome, slice_.id, worker, slice_.attempts),
    )
    _require_lease(cursor, slice_, worker)


def split(cursor: Cursor, slice_: Slice, narrower: Sequence[SliceKey]) -> int:
    """Plans the narrower queries that a capped slice is split into, and names them with it; answers how many are new.

    Call it in the transaction that finishes the slice as capped.
    """
    cursor.execute("UPDATE slice SET split_into = %s WHERE id = %s", ([key.query for key in narrower], slice_.id))
    return plan(cursor, narrower)


def release(cursor: Cursor, worker: str) -> int:
    """Gives back all that `worker` has leased, as if it had not been tried: for a crawler that stops in good order."""
    cursor.execute(
        "UPDATE slice SET state = 'pending', worker = '', leased_until = NULL, attempts = greatest(attempts - 1, 0), "
        "updated_at = now() WHERE state = 'leased' AND worker = %s",
        (worker,),
    )
    return int(cursor.rowcount)


def workers(connection: Connection, source: str) -> list[str]:
    """Those who have leased a slice of the source, in order: whoever knows that one is dead may `release` for it."""
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT DISTINCT worker FROM slice WHERE source = %s AND state = 'leased' ORDER BY worker", (source,)
        )
        return [str(row[0]) for row in cursor.fetchall()]


def retry_failed(cursor: Cursor, source: str) -> int:
    """Makes the source's failed slices pending again, their attempts counted anew; answers how many."""
    cursor.execute(
        "UPDATE slice SET state = 'pending', attempts = 0, updated_at = now() WHERE source = %s AND state = 'failed'",
        (source,),
    )
    return int(cursor.rowcount)


def reopen(cursor: Cursor, source: str, since: date) -> int:
    """Makes pending again what may hold something new since the day of the last success; answers how many slices.

    That is: searches and feeds, which show the newest first whatever their day; and months, days and windows of days
    that end on `since` or later, one day of grace for what a source lists late. A list whose next page is named by a
    cursor begins anew at its first page, because a grown list names other cursors. Files are read once.
    """
    cursor.execute(
        "UPDATE slice SET state = 'pending', attempts = 0, updated_at = now() "
        "WHERE source = %(source)s AND state IN ('done', 'capped', 'failed') AND cursor = '' AND kind <> 'file' AND ("
        "  (month = '' AND kind IN ('search', 'feed', 'api')) OR "
        "  (length(month) = 7 AND month >= %(month)s) OR (length(month) = 10 AND month >= %(day)s))",
        {
            "source": source,
            "month": f"{since - GRACE:%Y-%m}",
            "day": f"{since - GRACE - LONGEST_WINDOW:%Y-%m-%d}",
        },
    )
    return int(cursor.rowcount)


def spend_call(cursor: Cursor, source: str, day: date, budget: int) -> bool:
    """Counts one API call on `day` (of Korea, UTC+9) over all crawlers; False when `budget` calls are spent.

    Commit before the call is made: a call that is rolled back here has still been counted by the source.
    """
    if budget < 1:
        return False
    cursor.execute(
        "INSERT INTO api_budget (source, day, calls) VALUES (%s, %s, 1) "
        "ON CONFLICT (source, day) DO UPDATE SET calls = api_budget.calls + 1 WHERE api_budget.calls < %s",
        (source, day, budget),
    )
    return bool(cursor.rowcount == 1)


def calls(cursor: Cursor, source: str, day: date) -> int:
    """API calls that all crawlers have made on `day` (of Korea, UTC+9)."""
    cursor.execute("SELECT calls FROM api_budget WHERE source = %s AND day = %s", (source, day))
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def progress(connection: Connection, source: str) -> dict[str, int]:
    """How many of the source's slices are in each state; every state is named."""
    with transaction(connection) as cursor:
        cursor.execute("SELECT state, count(*) FROM slice WHERE source = %s GROUP BY state", (source,))
        return dict.fromkeys(STATES, 0) | dict(cursor.fetchall())


def pending(connection: Connection, source: str) -> int:
    """Slices that are not finished: pending and leased."""
    counts = progress(connection, source)
    return counts["pending"] + counts["leased"]


def _require_lease(cursor: Cursor, slice_: Slice, worker: str) -> None:
    if cursor.rowcount != 1:
        raise LeaseLost(
            f"slice {slice_.id} ({slice_.source} {slice_.kind} {slice_.query or slice_.month} page {slice_.page}): "
            f"the lease of {worker} ran out and another crawler took it; raise crawl.lease_seconds if this is frequent"
        )
