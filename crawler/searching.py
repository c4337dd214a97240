"""Calls of a paid API: counted in the day's budget, tried again when they may pass, closed when they may not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date

from scrapy.http import Request, Response, TextResponse

from crawler.discovery.protocol import Answer, ApiRefusal, Call, Credentials, Discovery, Found, Scope
from crawler.fetching import Clock, FetchFailed
from crawler.items import Tally
from crawler.middlewares import backoff
from crawler.pipelines import Ledger
from crawler.publishers.source import Source
from korbert.config import CrawlConfig
from korbert.db.articles import KST
from korbert.db.ledger import Slice

log = logging.getLogger("crawler")


def answer_of(response: Response, call: Call) -> Answer:
    """The answer as a discovery reads it; its address holds nothing secret."""
    text = response.text if isinstance(response, TextResponse) else ""
    return Answer(call.url if call.secret else response.url, response.body, text)


class ApiClosed(Exception):
    """The API is not asked any more today."""


class PaidCalls:
    """The API of one source for one crawler."""

    def __init__(
        self,
        source: Source,
        config: CrawlConfig,
        scope: Scope,
        credentials: Credentials,
        ledger: Ledger,
        tally: Tally,
        clock: Clock,
    ) -> None:
        self._source, self._scope, self._credentials = source, scope, credentials
        self._config, self._ledger, self._tally, self._clock = config, ledger, tally, clock
        self._closed_on: date | None = None

    @property
    def open(self) -> bool:
        """Whether it may be asked: a closed API opens again when the day turns in Korea."""
        if self._closed_on is not None and self._closed_on != self._today():
            self._closed_on, self._tally.api_closed = None, ""
        return self._closed_on is None

    async def page(self, slice_: Slice, discovery: Discovery, fetch: Callable[[Request], Awaitable[Response]]) -> Found:
        """The results of a slice. The middlewares leave its retries to this, because each try costs a call.

        Raises:
            ApiClosed: when the day's calls are spent or the keys are refused.
            ApiRefusal: when this query would be refused again.
            FetchFailed: when all tries failed.
            UnreadablePage: when the answer is none of this API.
        """
        call, error = discovery.call(self._scope, slice_.key, self._credentials), ""
        for tries in range(self._config.retries + 1):
            if tries:
                await asyncio.sleep(backoff(tries - 1))
            await self._pay()
            try:
                response = await fetch(Request(call.wire_url, headers=dict(call.headers), meta={"dont_retry": True}))
                if response.status != 200:
                    raise discovery.refusal(response.status, response.body)
                return discovery.read(answer_of(response, call), self._scope, slice_.key, self._source)
            except FetchFailed as failed:
                error = str(failed)
            except ApiRefusal as refused:
                error = self._refused(refused)
        raise FetchFailed(error)

    def _refused(self, refused: ApiRefusal) -> str:
        """What a refusal that may pass says; the others are raised."""
        if refused.verdict == "day":
            raise self._close(str(refused))
        if refused.verdict == "key":
            raise self._close(f"{refused}; see {' and '.join(self._source.credentials)}")
        if refused.verdict == "never":
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
            log.warning("%s; no call of the API until 00:00 in Korea, the rest goes on", why)
        return ApiClosed(why)

    def _today(self) -> date:
        return self._clock().astimezone(KST).date()
