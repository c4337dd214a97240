import asyncio
import contextlib
import gzip
from datetime import UTC, date, datetime, timedelta

import pytest

from crawler.items import RELEASED, Outcome
from crawler.pipelines import Ledger
from crawler.warcs import read
from korbert.db import ledger as table
from korbert.db import raw
from korbert.db.articles import Article, summary
from korbert.db.connection import connect, transaction
from korbert.db.ledger import LeaseLost, SliceKey
from korbert.db.raw import RawPage
from korbert.errors import WorldError

FIRST = [SliceKey("s", "list", month="2020-01"), SliceKey("s", "search", query="경제")]


def article(number):
    return Article(
        source="s",
        native_id=f"{number}",
        url=f"http://h/{number}",
        title="제목",
        text="본문",
        press="한빛일보",
        section="사회",
        byline="",
        published_at=datetime(2020, 1, 2, tzinfo=UTC),
        licence="own",
        may_train=True,
        evidence="test",
    )


@pytest.fixture
def ledger(database_url):
    with contextlib.closing(Ledger(database_url, "s", lease_seconds=60)) as opened:
        opened.prepare(FIRST, "2020-01", "2020-01")
        yield opened


def count(url):
    with contextlib.closing(connect(url)) as connection:
        return summary(connection, "s").articles


def test_articles_state_and_following_slices_are_one_transaction(ledger, database_url):
    async def work():
        slice_ = await ledger.lease(0, ("list",))
        counts = await ledger.settle(
            Outcome(slice_, "done", (article(1), article(2)), (SliceKey("s", "list", month="2020-01", page=2),), seen=2)
        )
        assert (counts.new, await ledger.known(["1", "2", "3"])) == (2, {"1", "2"})
        assert (await ledger.progress())["pending"] == 2

    asyncio.run(work())
    assert count(database_url) == 2


def test_what_comes_after_the_lease_was_lost_is_not_stored(ledger, database_url):
    async def work():
        slice_ = await ledger.lease(0, ("list",))
        with contextlib.closing(connect(database_url)) as other:
            later = datetime.now(UTC) + timedelta(hours=1)
            assert table.lease(other, "s", "other", 60, now=later, kinds=("list",)).id == slice_.id
        with pytest.raises(LeaseLost):
            await ledger.settle(Outcome(slice_, "done", (article(1),)))
        await ledger.renew([slice_])

    asyncio.run(work())
    assert count(database_url) == 0


def test_a_released_slice_keeps_its_articles_and_counts_no_attempt(ledger, database_url):
    async def work():
        first, second = await ledger.lease(0, ("list",)), await ledger.lease(1, ("search",))
        await ledger.settle(Outcome(first, RELEASED, (article(1),)))
        assert await ledger.progress() == {"pending": 1, "leased": 1, "done": 0, "capped": 0, "failed": 0}
        again = await ledger.lease(0, ("list",))
        assert (again.id, again.attempts, second.state) == (first.id, 1, "leased")
        await ledger.release(2)
        assert (await ledger.progress())["pending"] == 2

    asyncio.run(work())
    assert count(database_url) == 1


def test_a_renewed_lease_lasts_on(ledger, database_url):
    async def work():
        slice_ = await ledger.lease(0, ("list",))
        with contextlib.closing(connect(database_url)) as other:
            with transaction(other) as cursor:
                cursor.execute("UPDATE slice SET leased_until = now() - interval '1 s' WHERE id = %s", (slice_.id,))
            await ledger.renew([slice_])
            assert table.lease(other, "s", "other", 60, kinds=("list",)) is None

    asyncio.run(work())


def test_the_budget_of_a_day_is_shared(ledger, database_url):
    async def work(second):
        day = date(2026, 3, 1)
        assert [await ledger.spend_call(day, 2), await second.spend_call(day, 2)] == [True, True]
        assert [await ledger.spend_call(day, 2), await second.spend_call(day, 2)] == [False, False]
        assert await second.spend_call(date(2026, 3, 2), 2)

    with contextlib.closing(Ledger(database_url, "s", lease_seconds=60)) as second:
        asyncio.run(work(second))


def test_slices_of_the_living_stay_theirs_when_another_crawler_starts(ledger, database_url):
    async def work():
        return await ledger.lease(0, ("list",))

    held = asyncio.run(work())
    with contextlib.closing(Ledger(database_url, "s", lease_seconds=60)) as second:
        assert second.prepare(FIRST, "2020-01", "2020-01")["leased"] == 1
        assert held.worker.startswith(second.worker)


def test_a_lost_database_is_one_error_of_the_world(ledger, database_url):
    with contextlib.closing(connect(database_url)) as other, transaction(other) as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(WorldError, match="^database: "):
        asyncio.run(ledger.progress())


def raw_page(number):
    at = datetime(2020, 1, 2, tzinfo=UTC)
    return RawPage(
        "s", f"{number}", "newsroom", f"http://h/{number}", at, 200, {}, b"<p>", "1", "one", "own", True, "test"
    )  # fmt: skip


def test_pages_read_and_unread_are_counted_over_all_tries(ledger, connection):
    async def work():
        for state in ("pending", "done"):
            slice_ = await ledger.lease(0, ("list",))
            await ledger.settle(Outcome(slice_, state, (article(1),), fetched=3, extracted=2))

    asyncio.run(work())
    with transaction(connection) as cursor:
        cursor.execute("SELECT state, fetched, extracted FROM slice WHERE kind = 'list'")
        assert cursor.fetchall() == [("done", 6, 4)]


@pytest.mark.parametrize("where", ["postgres", "warc"])
def test_pages_of_a_lost_slice_are_not_kept(database_url, connection, tmp_path, where):
    folder = str(tmp_path) if where == "warc" else ""

    async def work(ledger):
        held = [await ledger.lease(hand, kinds) for hand, kinds in ((0, ("list",)), (1, ("search",)))]
        await ledger.settle(Outcome(held[0], "done", (article(1),), pages=(raw_page(1),)))
        with transaction(connection) as cursor:
            cursor.execute("UPDATE slice SET attempts = attempts + 1 WHERE kind = 'search'")
        with pytest.raises(LeaseLost):
            await ledger.settle(Outcome(held[1], "done", (article(2),), pages=(raw_page(2),)))

    with contextlib.closing(Ledger(database_url, "s", lease_seconds=60, raw=where, raw_folder=folder)) as ledger:
        ledger.prepare(FIRST, "2020-01", "2020-01")
        asyncio.run(work(ledger))
    kept = raw.outdated(connection, "s", "2", read=lambda place: read(tmp_path, place))
    assert [stored.page for stored in kept] == [raw_page(1)]
    for file in tmp_path.iterdir():
        assert b"http://h/2" not in gzip.decompress(file.read_bytes())


def test_crawlers_share_turns_and_the_mark_of_success(ledger, database_url):
    async def work(second):
        assert await ledger.turn("h", 100) == 0
        assert 90 < await second.turn("h", 100) <= 100
        await second.hush("h", 1000)
        assert 900 < await ledger.turn("h", 100) <= 1000

    with contextlib.closing(Ledger(database_url, "s", lease_seconds=60)) as second:
        asyncio.run(work(second))
        assert second.last_success() is None
        ledger.set_success(datetime(2020, 1, 2, tzinfo=UTC))
        assert second.last_success() == datetime(2020, 1, 2, tzinfo=UTC)
