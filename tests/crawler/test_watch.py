"""What the crawl looks at on its way: the ledger of all crawlers, the calls that are left, its own rate."""

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest

from crawler import watch
from crawler.items import Tally
from crawler.pipelines import Ledger
from crawler.watch import Watch
from korbert.config import CrawlConfig
from korbert.db.ledger import SliceKey
from korbert.progress import Meter

NOW = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
TODAY = datetime(2026, 3, 2).date()
"""Half past midnight in Korea."""


@pytest.fixture
def ledger(database_url):
    with contextlib.closing(Ledger(database_url, "s", lease_seconds=60)) as opened:
        opened.prepare([SliceKey("s", "list", month=f"2020-0{n}") for n in (1, 2, 3)], "2020-01", "2020-03")
        yield opened


def watching(ledger, tally, meter):
    return Watch(CrawlConfig(daily_calls=10), ledger, tally, meter, lambda: NOW)


def test_a_look_counts_the_slices_and_the_calls_of_all_crawlers(ledger, database_url):
    tally, meter = Tally(fetched=7), Meter("crawl, slices", 0, None)

    async def work(other):
        await other.lease(0, ("list",))
        assert await other.spend_call(TODAY, 10)
        # Yesterday's calls are no longer ours.
        assert await other.spend_call(datetime(2026, 3, 1).date(), 10)
        await watching(ledger, tally, meter).look()

    with contextlib.closing(Ledger(database_url, "s", lease_seconds=60)) as other:
        asyncio.run(work(other))
    assert (tally.ledger["pending"], tally.ledger["leased"], tally.calls_left) == (2, 1, 9)
    assert meter.line().startswith("crawl, slices: 0/3")


def test_calls_beyond_a_budget_that_was_made_smaller_leave_none(ledger):
    tally = Tally()

    async def work():
        for _ in range(12):
            assert await ledger.spend_call(TODAY, 100)
        await watching(ledger, tally, Meter("x", 0, None)).look()

    asyncio.run(work())
    assert tally.calls_left == 0


def test_progress_is_logged_with_the_states_as_fields(ledger, caplog, monkeypatch):
    monkeypatch.setattr(watch, "LOG_SECONDS", 0.0)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(watch, "SHARE", 1.0)
    caplog.set_level("INFO", "crawler")

    async def work():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(watching(ledger, Tally(fetched=5), Meter("crawl, slices", 0, None)).run(), 1.0)

    asyncio.run(work())
    record = caplog.records[0]
    assert record.getMessage().startswith("crawl, slices: 0/3, 5 articles")
    assert (record.fields["event"], record.fields["articles"], record.fields["pending"]) == ("progress", 5, 3)
