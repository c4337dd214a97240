"""The news spider: leases slices, fetches their pages and articles, and hands each slice's outcome to the ledger.

Requests go straight to Scrapy's downloader (`engine.download_async`): order, state and retries of the work belong to
the ledger, which outlives the process, so Scrapy's scheduler and its duplicates filter have nothing to do here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import scrapy
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Request, Response

from crawler.discovery.protocol import ApiRefusal, Credentials, Found, Scope, UnreadablePage
from crawler.fetching import Clock, FetchFailed, Reader, Skipped, fault, now_utc, skipped_by
from crawler.items import RELEASED, Outcome, Stopping, Tally
from crawler.middlewares import RobotsUnreachable
from crawler.pages import raw_page
from crawler.pipelines import Ledger
from crawler.searching import ApiClosed, PaidCalls, answer_of
from crawler.watch import Watch
from korbert.config import CrawlConfig
from korbert.db.articles import Article
from korbert.db.ledger import LeaseLost, Slice
from korbert.db.raw import RawPage
from korbert.errors import WorldError
from korbert.progress import Meter

log = logging.getLogger("crawler")

SLICES_IN_FLIGHT = 4
STOP_SECONDS = 10.0
"""How long requests in flight may take after SIGTERM (Kubernetes waits 30 s before it kills)."""
LONGEST_POLL = 1.0
"""Seconds between two looks at the ledger while others hold its last slices."""


_SCHEDULED: tuple[Request, ...] = ()


@dataclass(frozen=True)
class Job:
    """What a crawl is given."""

    config: CrawlConfig
    scope: Scope
    reader: Reader
    ledger: Ledger
    credentials: Credentials
    tally: Tally
    meter: Meter
    clock: Clock = now_utc
    redact: Callable[[str], str] = str
    """Takes secrets out of the errors that the ledger keeps."""


class NewsSpider(scrapy.Spider):
    """Crawls until the ledger is empty, the API and robots.txt allowing."""

    name = "news"

    def __init__(self, job: Job, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.fault: Exception | None = None
        """What ended the crawl before its end."""
        self._source = job.reader.source
        self._api = PaidCalls(self._source, job.config, job.scope, job.credentials, job.ledger, job.tally, job.clock)
        self._hands = min(SLICES_IN_FLIGHT, job.config.concurrency)
        self._requests = asyncio.Semaphore(job.config.concurrency)
        self.stopping = asyncio.Event()
        """Set when the process was told to stop."""
        self._held: dict[int, Slice] = {}
        self._pages: dict[str, RawPage] = {}
        self._fetching: dict[str, asyncio.Task[Article | Skipped | FetchFailed | Stopping]] = {}
        self._watch = Watch(job.config, job.ledger, job.tally, job.meter, job.clock)

    async def start(self) -> AsyncIterator[Any]:
        """Does the whole crawl, and yields nothing: no request goes through the scheduler."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped_by, number)
        try:
            await self._crawl()
        except Exception as error:
            self.fault = error
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        for request in _SCHEDULED:
            yield request

    def _stopped_by(self, number: int) -> None:
        self.job.tally.stopped_by = number
        self.stopping.set()
        # A second signal ends the process at once; the ledger can bear that too.
        asyncio.get_running_loop().remove_signal_handler(number)

    async def _crawl(self) -> None:
        """Runs the hands until all are done, one fails, or a signal comes; then gives back what is still held."""
        hands = [asyncio.create_task(self._work(hand)) for hand in range(self._hands)]
        others = (self._renew(), self._watch.run(), self.stopping.wait())
        aside = [asyncio.create_task(other) for other in others]
        try:
            await self._first_fault({*hands}, {*aside})
            if self.stopping.is_set():
                await asyncio.wait(hands, timeout=STOP_SECONDS)
        finally:
            tasks = [*hands, *aside, *self._fetching.values()]
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        faults = [result for result in results if isinstance(result, Exception)]
        # A lost database cannot take leases back; they are known as a dead crawler's at the next start.
        with contextlib.suppress(WorldError):
            await self.job.ledger.release(self._hands)
            await self._watch.look()
        if faults:
            raise faults[0]

    async def _first_fault(self, hands: set[asyncio.Task[None]], aside: set[asyncio.Task[Any]]) -> None:
        """Waits for the hands' end, for a fault of any, or for the stop."""
        while hands and not self.stopping.is_set():
            done, _ = await asyncio.wait(hands | aside, return_when=asyncio.FIRST_COMPLETED)
            if any(not task.cancelled() and task.exception() for task in done):
                return
            hands, aside = hands - done, aside - done

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.job.config.lease_seconds / 3)
            await self.job.ledger.renew(list(self._held.values()))

    async def _work(self, hand: int) -> None:
        """Leases and works on slices, one after the other, until there is none."""
        while slice_ := await self._lease(hand):
            self._held[hand] = slice_
            outcome, fetched = await self._outcome(slice_)
            await self._settle(outcome)
            del self._held[hand]
            for native_id in fetched:
                self._fetching.pop(native_id, None)
                self._pages.pop(native_id, None)

    async def _lease(self, hand: int) -> Slice | None:
        """The next slice; None when all are finished, or what is left has to wait for another day."""
        wait = 0.05
        while not self.stopping.is_set():
            kinds = [d.kind for d in self._source.discoveries if self._api.open or not d.paid]
            if slice_ := await self.job.ledger.lease(hand, kinds):
                return slice_
            counts = await self.job.ledger.progress()
            if not counts["leased"] and (not counts["pending"] or len(kinds) < len(self._source.discoveries)):
                return None
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_POLL)
        return None

    async def _outcome(self, slice_: Slice) -> tuple[Outcome, list[str]]:
        """Works on one slice; answers also the ids whose fetching belongs to it."""
        try:
            found = await self._discover(slice_)
        except (Stopping, ApiClosed):
            return Outcome(slice_, RELEASED), []
        except FetchFailed as error:
            return Outcome(slice_, self._again(slice_), error=str(error)), []
        except (ApiRefusal, UnreadablePage, IgnoreRequest, DownloadCancelledError) as error:
            if isinstance(error, RobotsUnreachable):
                raise
            return Outcome(slice_, "failed", error=_one_line(error)), []
        known = await self.job.ledger.known(list(found.articles))
        passed = known | self.job.tally.skipped.keys()
        wanted = [native_id for native_id in found.articles if native_id not in passed]
        begun = self._begin({native_id: found.articles[native_id] for native_id in wanted})
        results = await asyncio.gather(*(asyncio.shield(self._fetching[native_id]) for native_id in wanted))
        # Both of two slices that overlap store the article, because each may be lost; one of them counts it.
        counted = [result for native_id, result in zip(wanted, results, strict=True) if native_id in begun]
        ready = self._ready(found)
        results += ready
        counted += ready
        extracted = sum(isinstance(result, Article) for result in counted)
        unreadable = sum(isinstance(result, Skipped) and result.reason == "unreadable" for result in counted)
        pages = tuple(self._pages[native_id] for native_id in wanted if native_id in self._pages)
        outcome = self._judged(slice_, found, results)
        return replace(outcome, pages=pages, fetched=extracted + unreadable, extracted=extracted), wanted

    def _ready(self, found: Found) -> list[Article | Skipped]:
        """The articles that the answer itself holds: stored again, because nobody is asked for them."""
        made: list[Article | Skipped] = []
        for ready in found.ready:
            try:
                made.append(self.job.reader.ready(ready))
                self.job.tally.fetched += 1
            except Skipped as skipped:
                self._skip(ready.native_id, ready.url, skipped)
                made.append(skipped)
        return made

    def _judged(
        self, slice_: Slice, found: Found, results: list[Article | Skipped | FetchFailed | Stopping]
    ) -> Outcome:
        """The outcome of a slice whose articles were all tried; those that were fetched are kept in any case."""
        articles = tuple(result for result in results if isinstance(result, Article))
        failures = [str(result) for result in results if isinstance(result, FetchFailed)]
        unreadable = [str(r) for r in results if isinstance(r, Skipped) and r.reason == "unreadable"]
        if any(isinstance(result, Stopping) for result in results):
            return Outcome(slice_, RELEASED, articles)
        if failures:
            error = f"{len(failures)} of {len(results)} articles: {failures[0]}"
            return Outcome(slice_, self._again(slice_), articles, found.following, found.total, found.seen, error)
        if len(unreadable) > 2 and 2 * len(unreadable) > len(results):
            # One bad page is an accident; most of them are a layout that nobody has written down.
            error = (
                f"{len(unreadable)} of {len(results)} articles cannot be read, the layout may be new: {unreadable[0]}"
            )
            return Outcome(slice_, "failed", articles, found.following, found.total, found.seen, error)
        state = "capped" if found.capped else "done"
        narrower = found.narrower if found.capped else ()
        return Outcome(slice_, state, articles, found.following, found.total, found.seen, narrower=narrower)

    def _again(self, slice_: Slice) -> str:
        return "pending" if slice_.attempts <= self.job.config.retries else "failed"

    async def _settle(self, outcome: Outcome) -> None:
        # An error may quote an address, and an open-data API has its key in there.
        outcome = replace(outcome, error=self.job.redact(outcome.error))
        try:
            with self.job.tally.timed("store"):
                stored = await self.job.ledger.settle(outcome)
        except LeaseLost as error:
            log.warning("%s", error)
            self.job.tally.slices["lost"] += 1
            return
        if outcome.error:
            slice_ = outcome.slice
            what = f"{slice_.kind} {slice_.query or slice_.month} page {slice_.page}"
            fields = {"event": "slice", "slice": what, "try": slice_.attempts, "state": outcome.state}
            words = (what, slice_.attempts, outcome.state, outcome.error)
            log.warning("%s, try %d, %s: %s", *words, extra={"fields": fields})
        self.job.tally.count(outcome, stored)

    async def _discover(self, slice_: Slice) -> Found:
        discovery = self._source.discovery(slice_.kind)
        if discovery.paid:
            return await self._api.page(slice_, discovery, self._fetch)
        call = discovery.call(self.job.scope, slice_.key, self.job.credentials)
        response = await self._fetch(Request(call.wire_url, headers=dict(call.headers)))
        if response.status != 200:
            if response.status < 500 and response.status not in (408, 429):
                raise UnreadablePage(f"{call.url}: answered {response.status}")
            raise FetchFailed(f"{call.url}: answered {response.status}")
        return discovery.read(answer_of(response, call), self.job.scope, slice_.key, self._source)

    def _begin(self, wanted: Mapping[str, str]) -> set[str]:
        """Begins to fetch those that no slice fetches yet, and answers which: slices that overlap share one fetch."""
        begun = wanted.keys() - self._fetching.keys()
        for native_id, url in wanted.items():
            if native_id in begun:
                self._fetching[native_id] = asyncio.create_task(self._fetch_article(native_id, url))
        return begun

    async def _fetch_article(self, native_id: str, url: str) -> Article | Skipped | FetchFailed | Stopping:
        tally = self.job.tally
        try:
            article = self._read(native_id, url, await self._fetch(Request(url)))
        except RobotsUnreachable as error:
            if self.job.scope.root:
                raise
            # One of several hosts: the others go on, and this article's slice is tried again.
            return FetchFailed(_one_line(error))
        except (FetchFailed, Stopping) as error:
            return error
        except (Skipped, IgnoreRequest, DownloadCancelledError) as error:
            skipped = error if isinstance(error, Skipped) else skipped_by(error)
            assert skipped is not None
            self._skip(native_id, url, skipped)
            return skipped
        tally.fetched += 1
        return article

    def _read(self, native_id: str, url: str, response: Response) -> Article:
        """The article in an answer. The page is kept, also where it cannot be read: a better extractor may."""
        layout = ""
        try:
            with self.job.tally.timed("parse"):
                article, layout = self.job.reader.read(native_id, url, response)
        finally:
            if self.job.ledger.keeps_pages and response.status == 200:
                self._pages[native_id] = raw_page(self.job.reader, native_id, response, layout, now_utc())
        return article

    def _skip(self, native_id: str, url: str, skipped: Skipped) -> None:
        self.job.tally.skipped[native_id] = skipped.reason
        fields = {"event": "skipped", "url": url, "native_id": native_id, "reason": skipped.reason}
        log.warning("skipped %s, %s: %s", url, skipped.reason, skipped, extra={"fields": fields})

    async def _fetch(self, request: Request) -> Response:
        """The answer to a request, after the middlewares' retries.

        Raises:
            Stopping: when the crawler was told to stop before the request began.
            FetchFailed: when no answer came.
            IgnoreRequest, DownloadCancelledError: when it may not be fetched, or is too large.
        """
        async with self._requests:
            if self.stopping.is_set():
                raise Stopping
            assert self.crawler.engine is not None
            try:
                return await self.crawler.engine.download_async(request)
            except (Stopping, IgnoreRequest, DownloadCancelledError):
                raise
            except Exception as error:
                raise fault(request.url, error) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def world_error(error: Exception) -> Exception:
    """A crawl's fault as the user is told it; faults of our own stay as they are."""
    if isinstance(error, RobotsUnreachable):
        rule = "a site whose robots.txt cannot be read is not crawled (RFC 9309 §2.3.1.4); try again later"
        return WorldError(f"{_one_line(error)}; {rule}")
    return error
