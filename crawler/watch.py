"""Looks at the ledger now and then while the crawl goes on: for the progress shown, the metrics, and the log."""

from __future__ import annotations

import asyncio
import logging
import time

from crawler.fetching import Clock
from crawler.items import Tally
from crawler.pipelines import Ledger
from korbert.config import CrawlConfig
from korbert.db.articles import KST
from korbert.progress import Meter

log = logging.getLogger("crawler")

LOOK_SECONDS = 2.0
LOG_SECONDS = 10.0
SHARE = 0.02
"""Greatest share of its time that the database's one connection may spend on looks: counting 10 million slices takes
seconds."""
FINISHED = ("done", "capped", "failed")


class Watch:
    """One crawl's watcher."""

    def __init__(self, config: CrawlConfig, ledger: Ledger, tally: Tally, meter: Meter, clock: Clock) -> None:
        self._config, self._ledger, self._tally, self._meter, self._clock = config, ledger, tally, meter, clock
        self._started = time.monotonic()

    async def run(self) -> None:
        """Looks until it is cancelled.

        Raises:
            WorldError: when the database is lost.
        """
        logged = self._started
        while True:
            began = time.monotonic()
            await self.look()
            ended = time.monotonic()
            if ended - logged >= LOG_SECONDS:
                logged = ended
                self._log()
            await asyncio.sleep(max(LOOK_SECONDS, (ended - began) / SHARE))

    async def look(self) -> None:
        """Reads the ledger into the tally and moves the meter."""
        tally = self._tally
        tally.ledger = await self._ledger.progress()
        spent = await self._ledger.calls(self._clock().astimezone(KST).date())
        tally.calls_left = max(self._config.daily_calls - spent, 0)
        finished = sum(tally.ledger[state] for state in FINISHED)
        self._meter.at(finished, sum(tally.ledger.values()), f"{tally.fetched:,} articles, {self._rate():.0f}/s")

    def _rate(self) -> float:
        return self._tally.fetched / max(time.monotonic() - self._started, 1e-3)

    def _log(self) -> None:
        tally = self._tally
        fields = {"event": "progress", "articles": tally.fetched, "rate": round(self._rate(), 1), **tally.ledger}
        log.info("%s", self._meter.line(f"{tally.fetched:,} articles"), extra={"fields": fields})
