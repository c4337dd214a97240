"""Crawls of a range, and crawls of what is new since the last one."""

from datetime import datetime, timedelta

import pytest

from crawler.newsroom.articles import printed
from crawler.newsroom.server import serving
from korbert.db import ledger, marks
from korbert.db.article import KST
from korbert.db.articles import read_trainable
from korbert.db.connection import connect, transaction

SOURCE = "newsroom-test"


@pytest.fixture
def connected(crawls):
    connection = connect(crawls.database_url)
    yield connection
    connection.close()


def stored(connection):
    with transaction(connection):
        return {article.native_id for article in read_trainable(connection, SOURCE)}


def recent(count, days):
    """Articles over the last so many days, all of them about 경제."""
    now = datetime.now(KST).replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(
        printed(
            [
                {
                    "id": f"new/{number}",
                    "date": (now - timedelta(days=number % days)).isoformat(),
                    "title": f"{number}번째 소식",
                    "text": f"경제 소식 {number}.",
                }
                for number in range(count)
            ],
            "recent",
        )
    )


def test_a_backfill_reads_its_months_and_no_other_and_leaves_no_mark(crawls, articles, connected):
    crawls.configure(queries=())
    with serving(articles) as site:
        end = crawls.run(site.root, "--since", "2019-12", "--until", "2020-01")
        assert end.code == 0, end.err
        wanted = {a.id for a in articles if f"{a.published:%Y-%m}" in ("2019-12", "2020-01")}
        assert stored(connected) == wanted
        assert marks.last_success(connected, SOURCE) is None
        # The whole range afterwards fetches the rest only.
        before = site.hits["article"]
        assert crawls.run(site.root).code == 0
        assert site.hits["article"] - before == len(articles) - len(wanted)


def test_an_incremental_crawl_finds_what_came_since_and_fetches_nothing_twice(crawls, connected):
    year = datetime.now(KST).year
    crawls.configure(since=f"{year - 1}-01", until=f"{year + 1}-12", page_size=10)
    all_of_them = recent(60, 5)
    with serving(all_of_them[:30]) as site:
        assert crawls.run(site.root, "--incremental").code == 0
        assert stored(connected) == {a.id for a in all_of_them[:30]}
        assert marks.last_success(connected, SOURCE) is not None
        lists = site.hits["list"]
    with serving(all_of_them) as site:
        # Without the word nothing is looked at again.
        assert crawls.run(site.root).code == 0
        assert not site.hits
        end = crawls.run(site.root, "--incremental")
        assert end.code == 0, end.err
        assert set(site.asked) == {a.id for a in all_of_them[30:]}
        assert set(site.asked.values()) == {1}
        # Of two or three years of months, those that may have changed.
        assert site.hits["list"] < lists
    assert stored(connected) == {a.id for a in all_of_them}


def test_a_crawl_with_failed_slices_leaves_the_mark_where_it_was(crawls, connected):
    year = datetime.now(KST).year
    crawls.configure(queries=(), since=f"{year}-01", until=f"{year + 1}-12", retries=0)
    articles = recent(3, 1)
    with serving(articles) as site:
        site.faults.broken = frozenset({articles[0].id})
        assert crawls.run(site.root, "--incremental").code == 3
        assert marks.last_success(connected, SOURCE) is None
        site.faults.broken = frozenset()
        assert crawls.run(site.root, "--incremental").code == 0
    assert marks.last_success(connected, SOURCE) is not None
    assert ledger.pending(connected, SOURCE) == 0
