"""COPY stores what `store` would store."""

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from korbert.db.articles import Article, Removed, StoreCounts, read_trainable, revisions, store, summary
from korbert.db.bulk import OWN_PARTITION, Copied, copy_in
from korbert.db.connection import transaction
from korbert.db.marks import Imported, imported
from korbert.db.takedowns import forget


def article(number: int, **changes) -> Article:
    plain = Article(
        source="s",
        native_id=f"{number:06}",
        url=f"http://h/{number}",
        title=f"제목 {number}",
        text=f"본문 {number}\n둘째",
        press="가나일보",
        section="",
        byline="",
        published_at=datetime(2016, 1, 1, tzinfo=UTC) + timedelta(hours=number),
        licence="own",
        may_train=True,
        evidence="file",
    )
    return replace(plain, **changes)


def numbered(articles):
    return enumerate(articles, 1)


AWKWARD = [
    article(1, text="\\N", title="\\.", byline="탭\t과 \\t 그리고\r\n줄"),
    article(2, text="널\0과 외톨이 \ud800", press="\\"),
    article(3, modified_at=datetime(2016, 2, 1, tzinfo=UTC), canonical_url="http://own/3", opt_out="noai"),
    article(4, removed=(Removed("caption", '사진 "설명"\t\\'), Removed("byline", "홍길동\0 기자"))),
    article(5, text="", title=""),
]


def test_awkward_characters_come_out_as_by_the_slow_way(connection):
    with transaction(connection) as cursor:
        store(cursor, [replace(a, source="slow") for a in AWKWARD])
    assert copy_in(connection, numbered(AWKWARD)) == Copied(StoreCounts(5, 0, 0), 0, 5)
    slow = [replace(a, source="s") for a in read_trainable(connection, "slow")]
    assert list(read_trainable(connection, "s")) == slow
    assert summary(connection, "s").digest == summary(connection, "slow").digest


def test_what_is_stored_already_is_compared_and_revised(connection):
    first = [article(number) for number in range(10)]
    assert copy_in(connection, numbered(first)).counts == StoreCounts(10, 0, 0)
    second = [*first[:4], article(4, text="고친"), article(5, press="다라"), *map(article, range(6, 12))]
    assert copy_in(connection, numbered(second)).counts == StoreCounts(2, 2, 8)
    assert [r.text for r in revisions(connection, "s", "000004")] == ["본문 4\n둘째", "고친"]


def test_of_an_article_that_comes_twice_the_last_counts(connection):
    twice = [article(1), article(2), article(1, text="나중")]
    assert copy_in(connection, numbered(twice)).counts == StoreCounts(2, 0, 0)
    assert copy_in(connection, numbered(twice), batch=1).counts == StoreCounts(0, 2, 1)
    assert {a.text for a in read_trainable(connection, "s")} == {"나중", "본문 2\n둘째"}


def test_what_was_taken_down_is_not_imported(connection):
    forget(connection, "url", "http://h/2")
    assert copy_in(connection, numbered(map(article, range(5)))).counts == StoreCounts(4, 0, 0, 1)


def test_an_interrupted_import_goes_on_after_its_last_whole_batch(connection):
    def breaking():
        yield from numbered(map(article, range(25)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_in(connection, breaking(), source="s", file="f", batch=10)
    mark = imported(connection, "s", "f")
    assert mark == Imported(20, 20)
    rest = list(numbered(map(article, range(30))))[mark.position :]
    assert copy_in(connection, rest, source="s", file="f", batch=10) == Copied(StoreCounts(10, 0, 0), 20, 30)
    assert summary(connection, "s").articles == 30


def test_an_empty_file_is_no_fault(connection):
    assert copy_in(connection, [], source="s", file="f") == Copied(StoreCounts(0, 0, 0), 0, 0)


def test_full_months_get_partitions_and_stray_dates_do_not(connection):
    full = [article(number % 700, native_id=f"{number}") for number in range(OWN_PARTITION)]
    copy_in(connection, numbered([*full, article(1, published_at=datetime(1950, 6, 25, tzinfo=UTC))]), batch=400)
    with transaction(connection) as cursor:
        cursor.execute("SELECT to_regclass('article_body_2016_01') IS NULL, to_regclass('article_body_1950_06')")
        assert cursor.fetchone() == (False, None)
    assert summary(connection, "s").articles == OWN_PARTITION + 1


def test_memory_holds_one_batch(connection):
    copy_in(connection, numbered(map(article, range(10))), batch=100)
    tracemalloc.start()
    copy_in(connection, numbered(article(number, text="가" * 2000) for number in range(3000)), batch=100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000  # a batch is 100 x 4 kB of text several times over; all of it would be 12 MB
