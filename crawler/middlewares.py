"""Manners on the way to the site: one host, robots.txt that fails closed, waiting when it asks to be left alone."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self
from urllib.parse import urlsplit

from protego import Protego
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotConfigured,
    ResponseDataLossError,
)
from scrapy.http import Request, Response

from crawler.items import Stopping, Tally
from crawler.pipelines import Ledger
from crawler.settings import host_and_port

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 522, 524})
RETRIED_FAULTS = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    OSError,
)
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds before the first retry, doubled for each further one up to the longest."""
LONGEST_RETRY_AFTER = 600.0
"""A site that asks for more is asked again then: the slice's own retries bound the whole."""
ROBOTS_SECONDS = 24 * 3600.0
"""How long a robots.txt may be used before it is read again (RFC 9309 §2.4)."""


class RobotsUnreachable(IgnoreRequest):
    """robots.txt could not be read, so nothing of the site may be (RFC 9309 §2.3.1.4)."""


class OneHost:
    """Refuses every request, redirected ones too, that leaves the source's hosts and ports."""

    def __init__(self, crawler: Crawler) -> None:
        self._sites: list[tuple[str, int]] = crawler.settings["SOURCE_SITES"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if host_and_port(request.url) not in self._sites:
            raise IgnoreRequest(f"leads to another host: {request.url}")


class Robots:
    """robots.txt, read once a host and day; unreachable means disallowed, and Crawl-delay is kept.

    Scrapy's own middleware lets everything pass when robots.txt answers 5xx or not at all, and also all but the first
    of several requests that wait for it together (2.19: they share a Deferred, and its first reader takes the result).
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"]
        self._rules: dict[str, tuple[float, asyncio.Task[Protego]]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Lets the request pass if the site's rules do.

        Raises:
            RobotsUnreachable: when robots.txt answered 5xx, 429, or not at all.
            IgnoreRequest: when it disallows the address.
            Stopping: when the crawler is told to stop before robots.txt had its turn.
        """
        if request.meta.get("is_robots"):
            return
        rules = await asyncio.shield(self._reading(request))
        if not rules.can_fetch(request.url, self._agent):
            raise IgnoreRequest(f"robots.txt disallows it for {self._agent}")

    def _reading(self, request: Request) -> asyncio.Task[Protego]:
        netloc, now = urlsplit(request.url).netloc, time.monotonic()
        if netloc not in self._rules or now - self._rules[netloc][0] > ROBOTS_SECONDS:
            self._rules[netloc] = (now, asyncio.create_task(self._read(request)))
        return self._rules[netloc][1]

    async def _read(self, request: Request) -> Protego:
        parts = urlsplit(request.url)
        url = f"{parts.scheme}://{parts.netloc}/robots.txt"
        assert self._crawler.engine is not None
        try:
            response = await self._crawler.engine.download_async(Request(url, meta={"is_robots": True}))
        except Stopping:
            raise
        except Exception as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise RobotsUnreachable(f"{url}: could not be read ({why})") from error
        if response.status >= 500 or response.status == 429:
            raise RobotsUnreachable(f"{url}: answered {response.status}")
        # 4xx: the site has no rules (§2.3.1.3). The error page must not be read as some.
        rules = Protego.parse(response.body.decode("utf-8-sig", "ignore") if response.status == 200 else "")
        self._keep_delay(rules.crawl_delay(self._agent), parts.hostname or "")
        return rules

    def _keep_delay(self, delay: float | None, host: str) -> None:
        if not delay or delay <= self._crawler.settings.getfloat("DOWNLOAD_DELAY"):
            return
        assert self._crawler.engine is not None
        downloader = self._crawler.engine.downloader
        downloader.per_slot_settings[host] = {"delay": float(delay)}
        if host in downloader.slots:
            downloader.slots[host].delay = float(delay)


class Turns:
    """One delay a host for the crawlers of all processes and machines, by a row in the database they share.

    It stands after everything that refuses a request or holds it back, so that no turn is wasted; each try of a request
    takes a turn of its own, robots.txt's too. Scrapy's own delay goes on beside it. With no delay nothing is asked.
    """

    def __init__(self, crawler: Crawler, ledger: Ledger, stopping: asyncio.Event) -> None:
        self._crawler, self._ledger, self._stopping = crawler, ledger, stopping

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured for a spider without a ledger, and Scrapy then goes on without this."""
        ledger = getattr(getattr(crawler.spider, "job", None), "ledger", None)
        stopping = getattr(crawler.spider, "stopping", None)
        if not isinstance(ledger, Ledger) or not isinstance(stopping, asyncio.Event):
            raise NotConfigured
        return cls(crawler, ledger, stopping)

    async def process_request(self, request: Request) -> None:
        """Waits for the request's turn.

        Raises:
            Stopping: when the crawler is told to stop meanwhile: the turn may be minutes away.
        """
        host = urlsplit(request.url).hostname or ""
        if not (delay := delay_at(self._crawler, host)):
            return
        wait = await self._ledger.turn(host, delay)
        if wait > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
        if wait > 0 and self._stopping.is_set():
            raise Stopping


def delay_at(crawler: Crawler, host: str) -> float:
    """Seconds between two requests to a host: ours, or the longer one that its robots.txt asks for."""
    assert crawler.engine is not None
    own = crawler.engine.downloader.per_slot_settings.get(host, {}).get("delay", 0.0)
    return max(float(own), crawler.settings.getfloat("DOWNLOAD_DELAY"))


class Metering:
    """Counts every try of every request: its answer's status or its fault, its bytes as they came, its seconds.

    It stands nearest to the downloader, so that it sees what the other middlewares retry, decode or drop.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured for a spider without a tally, and Scrapy then goes on without this."""
        tally = getattr(getattr(crawler.spider, "job", None), "tally", None)
        if not isinstance(tally, Tally):
            raise NotConfigured
        return cls(tally)

    def process_response(self, request: Request, response: Response) -> Response:
        self._count(request, str(response.status))
        self._tally.received += len(response.body)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        # Refusals of our own, and what we no longer want, never reached the network.
        if not isinstance(exception, IgnoreRequest | Stopping):
            self._count(request, type(exception).__name__)

    def _count(self, request: Request, end: str) -> None:
        self._tally.requests[end] += 1
        # Scrapy's own measure, from the request on the wire to the answer's headers; none when nothing was answered.
        self._tally.seconds["fetch"] += request.meta.pop("download_latency", 0.0)


class Backoff:
    """Retries what may pass, after a wait; `Retry-After` and refusals of the whole site keep all requests waiting.

    Requests with `dont_retry` in their meta come back as they are, but the wait that they caused holds for all.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._retries = crawler.settings.getint("RETRY_TIMES")
        self._quiet_until = 0.0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        while (wait := self._quiet_until - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        if response.status not in RETRIED_STATUSES:
            return response
        tries = request.meta.get("tries", 0)
        asked = retry_after(response, datetime.now(UTC))
        wait = backoff(tries) if asked is None else min(asked, LONGEST_RETRY_AFTER)
        if asked is not None or response.status in (429, 503):
            self._quiet_until = max(self._quiet_until, time.monotonic() + wait)
            await self._tell(urlsplit(request.url).hostname or "", wait)
        if request.meta.get("dont_retry") or tries >= self._retries:
            return response
        await asyncio.sleep(wait)
        return _again(request, tries)

    async def _tell(self, host: str, seconds: float) -> None:
        """Asks the other crawlers to wait too, where they take turns."""
        ledger = getattr(getattr(self._crawler.spider, "job", None), "ledger", None)
        if isinstance(ledger, Ledger) and delay_at(self._crawler, host):
            await ledger.hush(host, seconds)

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        tries = request.meta.get("tries", 0)
        if not isinstance(exception, RETRIED_FAULTS) or request.meta.get("dont_retry") or tries >= self._retries:
            return None
        await asyncio.sleep(backoff(tries))
        return _again(request, tries)


def backoff(tries: int) -> float:
    """Seconds to wait after `tries` retries were made already."""
    return float(min(FIRST_WAIT * 2.0 ** min(tries, 20), LONGEST_WAIT))


def retry_after(response: Response, now: datetime) -> float | None:
    """Seconds that the answer's `Retry-After` asks for (RFC 9110 §10.2.3: seconds or a date); None without one."""
    text = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds(), 0.0)


def _again(request: Request, tries: int) -> Request:
    return request.replace(meta={**request.meta, "tries": tries + 1})
