"""Calls of the search API: paid from the day's budget, tried again when they may pass, closed when they may not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date

from scrapy.http import Request, Response

from crawler.discover import ApiRefusal, Found, read_search, refusal
from crawler.fetching import Clock, FetchFailed
from crawler.items import Tally
from crawler.middlewares import backoff
from crawler.pipelines import Ledger
from crawler.publishers.source import Source
from korbert.config import CrawlConfig
from korbert.db.articles import KST
from korbert.db.ledger import Slice

log = logging.getLogger("crawler")


class ApiClosed(Exception):
    """The search API is not asked any more today."""


class SearchApi:
    """The API of one source for one crawler."""

    def __init__(
        self,
        source: Source,
        config: CrawlConfig,
        credentials: tuple[str, str],
        ledger: Ledger,
        tally: Tally,
        clock: Clock,
    ) -> None:
        self._source, self._config, self._ledger, self._tally, self._clock = source, config, ledger, tally, clock
        names = ("X-Naver-Client-Id", "X-Naver-Client-Secret")
        self._headers = dict(zip(names, credentials, strict=True))
        self._closed_on: date | None = None

    @property
    def open(self) -> bool:
        """Whether it may be asked: a closed API opens again when the day turns in Korea."""
        if self._closed_on is not None and self._closed_on != self._today():
            self._closed_on, self._tally.api_closed = None, ""
        return self._closed_on is None

    async def page(self, slice_: Slice, url: str, fetch: Callable[[Request], Awaitable[Response]]) -> Found:
        """The results of a slice. The middlewares leave its retries to this, because each try costs a call.

        Raises:
            ApiClosed: when the day's calls are spent or the keys are refused.
            ApiRefusal: when this query would be refused again.
            FetchFailed: when all tries failed.
        """
        error = ""
        for tries in range(self._config.retries + 1):
            if tries:
                await asyncio.sleep(backoff(tries - 1))
            await self._pay()
            try:
                response = await fetch(Request(url, headers=self._headers, meta={"dont_retry": True}))
            except FetchFailed as failed:
                error = str(failed)
                continue
            if response.status == 200:
                return read_search(response.body, self._source, slice_.key, self._config.page_size)
            error = self._refused(refusal(response.status, response.body))
        raise FetchFailed(error)

    def _refused(self, refused: ApiRefusal) -> str:
        """What a refusal that may pass says; the others are raised."""
        if refused.quota_spent:
            raise self._close(str(refused))
        if refused.status in (401, 403):
            raise self._close(f"{refused}; see NAVER_CLIENT_ID and NAVER_CLIENT_SECRET")
        if refused.permanent:
            raise refused
        return str(refused)

    async def _pay(self) -> None:
        if not self.open:
            raise ApiClosed
        budget = self._config.daily_calls
        if not await self._ledger.spend_call(self._today(), budget):
            raise self._close(f"crawl.daily_calls = {budget}: all calls of today are made")

    def _close(self, why: str) -> ApiClosed:
        self._closed_on = self._today()
        if self._tally.api_closed != why:
            self._tally.api_closed = why
            log.warning("%s; no search until 00:00 in Korea, list pages go on", why)
        return ApiClosed(why)

    def _today(self) -> date:
        return self._clock().astimezone(KST).date()
