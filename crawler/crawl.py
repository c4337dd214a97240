"""A whole crawl: the ledger prepared, Scrapy run until the ledger is empty, the result as numbers."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from crawler.discovery.protocol import Credentials, Scope
from crawler.discovery.windows import first_day, last_day
from crawler.fetching import Clock, Reader, now_utc
from crawler.items import Tally
from crawler.pipelines import Ledger
from crawler.publishers import SOURCES
from crawler.publishers.rights import no_training, permitted, read_permissions
from crawler.publishers.source import Source
from crawler.settings import checked_root, is_loopback, settings_of
from crawler.spiders.news import Job, NewsSpider, world_error
from crawler.watch import FINISHED
from korbert.config import CrawlConfig
from korbert.db.article import KST
from korbert.db.connection import connect
from korbert.db.migrate import migrate
from korbert.errors import UsageError
from korbert.progress import meter

log = logging.getLogger("crawler")

FAILED_SLICES = 3
"""Exit code of a crawl that came to its end with slices that failed."""


@dataclass(frozen=True)
class Site:
    """What is crawled, and as whom."""

    source: str
    """Key of `SOURCES`."""
    name: str
    """The source's name in the database."""
    base_url: str
    """The site that stands in for the source's hosts; empty: they are asked."""
    credentials: Credentials = field(default=(), repr=False)
    """Values of the source's `credentials`."""


@dataclass(frozen=True)
class Result:
    """How a crawl ended."""

    tally: Tally
    slices: dict[str, int]
    """The source's slices by state, at the end."""

    def summary(self, seconds: float) -> str:
        """One line for people."""
        tally = self.tally
        parts = [f"{tally.new:,} new articles, {tally.changed:,} changed"]
        parts += [f"{count:,} {reason}" for reason, count in sorted(Counter(tally.skipped.values()).items())]
        parts += [f"slices: {', '.join(f'{count:,} {state}' for state, count in self.slices.items() if count)}"]
        parts += [f"{seconds:.1f} s, {tally.fetched / max(seconds, 1e-3):.0f} articles/s"]
        if tally.stopped_by:
            parts += ["stopped, run the same command again to go on"]
        elif tally.api_closed:
            parts += [f"search slices wait ({tally.api_closed}), run the same command again tomorrow"]
        return "crawl: " + "; ".join(parts)

    def code(self) -> int:
        """The process's exit code."""
        if self.tally.stopped_by:
            return 128 + self.tally.stopped_by
        if self.slices["failed"]:
            return FAILED_SLICES
        return 1 if self.slices["pending"] or self.slices["leased"] else 0


def crawl(
    config: CrawlConfig,
    site: Site,
    database_url: str,
    *,
    tally: Tally | None = None,
    clock: Clock = now_utc,
    redact: Callable[[str], str] = str,
    quiet: bool = False,
    incremental: bool = False,
) -> Result:
    """Crawls a site until its ledger is empty. Call it once a process: Twisted's reactor cannot start twice.

    Args:
        config: what of it, and how politely.
        site: where and as whom.
        database_url: where articles and ledger lie.
        tally: the run's numbers, for whoever wants to read them meanwhile.
        clock: decides which day it is in Korea.
        redact: takes secrets out of the errors that the ledger keeps.
        quiet: shows no progress on standard error; it is logged all the same.
        incremental: reads again what may hold something new since the last crawl that came to its end.

    Raises:
        UsageError: for an unknown source, a wrong address or a wrong database URL.
        WorldError: when the database or the site's robots.txt cannot be reached.
    """
    source = source_named(site.source)
    now = clock()
    today = now.astimezone(KST).date()
    grant = permitted(source, read_permissions(config.permissions), today)
    config, scope = polite(config, source, site), scope_of(config, source, site, today)
    if not grant.may_train:
        log.warning("%s", no_training(source))
    tally = tally or Tally()
    with _ledger(config, site.name, database_url) as ledger:
        last = ledger.last_success() if incremental else None
        reopen = last.astimezone(KST).date() if last else None
        before = ledger.prepare(source.first_slices(scope), config.since, config.until, reopen)
        tally.ledger = before
        if before["pending"] or before["leased"]:
            with meter("crawl, slices", sum(before.values()), done=_finished(before), quiet=quiet) as progress:
                reader = Reader(source, site.name, grant)
                _run_scrapy(Job(config, scope, reader, ledger, site.credentials, tally, progress, clock, redact))
        tally.ledger = ledger.counts()
        result = Result(tally, tally.ledger)
        # A backfill of old months says nothing about what came since.
        if result.code() == 0 and today <= last_day(config.until):
            ledger.set_success(now)
        return result


def _finished(slices: Mapping[str, int]) -> int:
    return sum(slices[state] for state in FINISHED)


def scope_of(config: CrawlConfig, source: Source, site: Site, today: date) -> Scope:
    """What the configuration asks of the source; of its own hosts, nothing that `today` has not brought yet.

    Raises:
        UsageError: when there is neither a site's address nor a host of the source's own, or a wrong address.
    """
    root = checked_root(site.base_url) if site.base_url or not source.hosts else ""
    until = last_day(config.until)
    return Scope(
        source=site.name,
        since=first_day(config.since),
        until=until if root else min(until, today),
        root=root,
        queries=config.queries,
        narrow=config.narrow,
        sections=config.sections,
        page_size=config.page_size,
    )


def polite(config: CrawlConfig, source: Source, site: Site) -> CrawlConfig:
    """The configuration, no faster than the source asks for; a stand-in for its hosts is the operator's own, and so is
    a server on this machine."""
    if site.base_url and (source.hosts or is_loopback(site.base_url)):
        return config
    calls = source.politeness.daily_calls or config.daily_calls
    delay = max(config.delay, source.politeness.delay)
    return replace(config, delay=delay, daily_calls=min(config.daily_calls, calls))


def source_named(name: str) -> Source:
    """The source of this name.

    Raises:
        UsageError: when there is none.
    """
    if name not in SOURCES:
        raise UsageError(f"--source {name!r}: there is no such source; there are: {', '.join(SOURCES)}")
    return SOURCES[name]


@contextlib.contextmanager
def _ledger(config: CrawlConfig, name: str, url: str) -> Iterator[Ledger]:
    with contextlib.closing(connect(url)) as connection:
        migrate(connection)
    ledger = Ledger(url, name, lease_seconds=config.lease_seconds, raw=config.raw, raw_folder=config.raw_folder)
    with contextlib.closing(ledger):
        yield ledger


def _run_scrapy(job: Job) -> None:
    from scrapy.crawler import AsyncCrawlerProcess

    for name in ("scrapy", "twisted", "asyncio"):
        # Their complaints are about what we report ourselves, and come with stack traces.
        logging.getLogger(name).propagate = False
        logging.getLogger(name).addHandler(logging.NullHandler())
    process = AsyncCrawlerProcess(settings_of(job.config, job.scope.root, job.reader.source.hosts))
    crawler = process.create_crawler(NewsSpider)
    process.crawl(crawler, job=job)
    # The spider answers SIGTERM itself: it has leases to give back.
    process.start(install_signal_handlers=False)
    spider = crawler.spider
    assert isinstance(spider, NewsSpider)
    if spider.fault is not None:
        raise world_error(spider.fault)
