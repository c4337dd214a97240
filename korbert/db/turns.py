"""Turns at a host: crawlers of all machines together keep one delay, and one silence when the host asks for it.

The database's clock decides, because the clocks of many machines differ.
"""

from __future__ import annotations

from datetime import datetime

from korbert.db.connection import Cursor

_NOW = "coalesce(%(now)s, clock_timestamp())"


def take(cursor: Cursor, host: str, delay: float, now: datetime | None = None) -> float:
    """Reserves the host's next free moment and answers the seconds until it; the one after comes `delay` seconds later.

    Commit before waiting: until then all others who want a turn at the host wait for this transaction. A turn that is
    not used is lost, which is slower than allowed and never faster. `now` stands in for the database's clock.
    """
    cursor.execute(
        "INSERT INTO host_turn AS turn (host, next_at) "
        f"VALUES (%(host)s, {_NOW} + make_interval(secs => %(delay)s)) ON CONFLICT (host) DO UPDATE "
        f"SET next_at = greatest(turn.next_at, {_NOW}) + make_interval(secs => %(delay)s) "
        f"RETURNING extract(epoch FROM next_at - make_interval(secs => %(delay)s) - {_NOW})",
        {"host": host, "delay": delay, "now": now},
    )
    row = cursor.fetchone()
    assert row is not None
    return max(float(row[0]), 0.0)


def hush(cursor: Cursor, host: str, seconds: float, now: datetime | None = None) -> None:
    """Nobody gets a turn at the host for so many seconds from now: for `Retry-After` and refusals of a whole site."""
    cursor.execute(
        "INSERT INTO host_turn AS turn (host, next_at) "
        f"VALUES (%(host)s, {_NOW} + make_interval(secs => %(seconds)s)) "
        "ON CONFLICT (host) DO UPDATE SET next_at = greatest(turn.next_at, excluded.next_at)",
        {"host": host, "seconds": seconds, "now": now},
    )
