"""The way into Postgres: one thread with one connection, so that the reactor never waits for the database.

A slice's articles, its new state and the slices it showed to exist are one transaction. That is why outcomes of slices
come here whole, and not article by article as Scrapy's item pipelines would have it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from psycopg2.extensions import TransactionRollbackError

from crawler import worker
from crawler.items import RELEASED, Outcome
from crawler.warcs import WarcFiles
from korbert.db import articles, ledger, marks, raw, turns
from korbert.db.connection import Connection, Cursor, connect, transaction
from korbert.db.ledger import Slice, SliceKey
from korbert.errors import WorldError

T = TypeVar("T")

_TRIES = 5


class Ledger:
    """A source's ledger and articles, for one crawler. Every method raises `WorldError` when the database is lost."""

    def __init__(self, url: str, source: str, *, lease_seconds: float, raw: str = "none", raw_folder: str = "") -> None:
        self.source = source
        self.keeps_pages = raw != "none"
        self._files = WarcFiles(Path(raw_folder)) if raw == "warc" else None
        self.worker = worker.name()
        self._lease_seconds = lease_seconds
        self._connection = connect(url)
        self._thread = ThreadPoolExecutor(1, "ledger")

    def prepare(self, first: Sequence[SliceKey], since: str, until: str, reopen: date | None = None) -> dict[str, int]:
        """Before the crawl, not in the reactor: plans, takes back dead crawlers' slices, answers slices by state.

        With `reopen` (a day of Korea), what may hold something new since that day is read again.
        """
        articles.prepare_months(self._connection, since[:7], until[:7])
        dead = [name for name in ledger.workers(self._connection, self.source) if worker.is_dead(name)]
        with transaction(self._connection) as cursor:
            for name in dead:
                ledger.release(cursor, name)
            ledger.retry_failed(cursor, self.source)
            if reopen is not None:
                ledger.reopen(cursor, self.source, reopen)
            ledger.plan(cursor, first)
        return self.counts()

    def counts(self) -> dict[str, int]:
        """The source's slices by state; not in the reactor."""
        return ledger.progress(self._connection, self.source)

    def close(self) -> None:
        """Ends the thread and the connection."""
        self._thread.shutdown()
        self._connection.close()
        if self._files:
            self._files.close()

    async def lease(self, hand: int, kinds: Sequence[str]) -> Slice | None:
        """The next slice for hand number `hand` of this crawler; None when none is free."""
        name, seconds = self._hand(hand), self._lease_seconds
        return await self._run(lambda c: ledger.lease(c, self.source, name, seconds, kinds=kinds))

    async def known(self, native_ids: Sequence[str]) -> set[str]:
        """Those of the articles that are stored."""
        return await self._commit(lambda cursor: articles.known(cursor, self.source, native_ids))

    async def settle(self, outcome: Outcome) -> articles.StoreCounts:
        """Stores an outcome in one transaction.

        Raises:
            LeaseLost: when another crawler has the slice by now; nothing is stored then.
        """
        return await self._run(lambda connection: self._settle(connection, outcome))

    async def renew(self, slices: Sequence[Slice]) -> None:
        """Makes the leases last on; those lost meanwhile are passed over, `settle` will say so."""
        for slice_ in slices:
            with suppress(ledger.LeaseLost):
                await self._commit(
                    partial(ledger.renew, slice_=slice_, worker=slice_.worker, seconds=self._lease_seconds)
                )

    async def spend_call(self, day: date, budget: int) -> bool:
        """Counts one API call of a Korean day; False when the budget of all crawlers is spent."""
        return await self._commit(lambda cursor: ledger.spend_call(cursor, self.source, day, budget))

    async def calls(self, day: date) -> int:
        """API calls that all crawlers have made on a Korean day."""
        return await self._commit(lambda cursor: ledger.calls(cursor, self.source, day))

    async def turn(self, host: str, delay: float) -> float:
        """Reserves the host's next free moment, over all crawlers; answers the seconds until it."""
        return await self._commit(lambda cursor: turns.take(cursor, host, delay))

    async def hush(self, host: str, seconds: float) -> None:
        """No crawler gets a turn at the host for so many seconds."""
        await self._commit(lambda cursor: turns.hush(cursor, host, seconds))

    def last_success(self) -> datetime | None:
        """When the source's last whole crawl began; None when there was none. Not in the reactor."""
        return marks.last_success(self._connection, self.source)

    def set_success(self, started_at: datetime) -> None:
        """Records that a crawl begun then came to its end with nothing failed. Not in the reactor."""
        with transaction(self._connection) as cursor:
            marks.set_success(cursor, self.source, started_at)

    async def progress(self) -> dict[str, int]:
        """Slices by state."""
        return await self._run(lambda c: ledger.progress(c, self.source))

    async def release(self, hands: int) -> None:
        """Gives back whatever the hands 0 to `hands` - 1 of this crawler still hold."""
        for hand in range(hands):
            await self._commit(partial(ledger.release, worker=self._hand(hand)))

    def _settle(self, connection: Connection, outcome: Outcome) -> articles.StoreCounts:
        if self._files:
            self._files.begin()
        try:
            with transaction(connection) as cursor:
                counts = _settle(cursor, outcome)
                raw.store(cursor, outcome.pages, self._files.append if self._files else None)
        except BaseException:
            # Where the connection is lost nobody knows whether it was committed: a record too many does no harm.
            if self._files and not connection.closed:
                self._files.undo()
            raise
        return counts

    def _hand(self, hand: int) -> str:
        # A name a slice in flight: giving one back is `release` of its name.
        return f"{self.worker}#{hand}"

    async def _commit(self, work: Callable[[Cursor], T]) -> T:
        def whole(connection: Connection) -> T:
            with transaction(connection) as cursor:
                return work(cursor)

        return await self._run(whole)

    async def _run(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._attempt, work)

    def _attempt(self, work: Callable[[Connection], T]) -> T:
        """Two crawlers may wait for each other in a deadlock that Postgres ends for one: that one tries again."""
        for left in reversed(range(_TRIES)):
            try:
                return work(self._connection)
            except WorldError as error:
                if not (left and isinstance(error.__cause__, TransactionRollbackError)):
                    raise
        raise AssertionError("the last try returns or raises")


def _settle(cursor: Cursor, outcome: Outcome) -> articles.StoreCounts:
    slice_ = outcome.slice
    counts = articles.store(cursor, outcome.articles)
    if outcome.state == RELEASED:
        ledger.release(cursor, slice_.worker)
    else:
        ledger.finish(
            cursor, slice_, slice_.worker, outcome.state, outcome.total, outcome.seen, outcome.error,
            fetched=outcome.fetched, extracted=outcome.extracted,
        )  # fmt: skip
    if outcome.narrower:
        ledger.split(cursor, slice_, outcome.narrower)
    if outcome.following:
        ledger.plan(cursor, outcome.following)
    return counts
