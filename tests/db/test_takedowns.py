"""What is forgotten is gone everywhere, and stays away."""

import contextlib
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from korbert.db.articles import Article, StoreCounts, known, prepare_months, read_trainable, revisions, store
from korbert.db.connection import connect, transaction
from korbert.db.takedowns import forget, hold_off, register_corpus
from korbert.errors import UsageError


def article(number: int, **changes) -> Article:
    plain = Article(
        source="s",
        native_id=f"{number}",
        url=f"https://h/{number}",
        title="제목",
        text=f"본문 {number}",
        press=f"신문 {number % 2}",
        section="사회",
        byline="",
        published_at=datetime(2020, 1 + number % 12, 2, tzinfo=UTC),
        licence="own",
        may_train=True,
        evidence="test",
    )
    return replace(plain, **changes)


def stored(connection, *articles: Article) -> StoreCounts:
    with transaction(connection) as cursor:
        return store(cursor, articles)


def left(connection, source: str = "s") -> list[str]:
    return sorted(a.native_id for a in read_trainable(connection, source))


def count(connection, table: str) -> int:
    with transaction(connection) as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("months", [(), ("2020-01", "2020-12")], ids=["default partition", "monthly partitions"])
def test_all_revisions_in_all_partitions_go(connection, months):
    if months:
        prepare_months(connection, *months)
    stored(connection, article(1), article(2))
    stored(connection, article(1, text="고친 본문", published_at=datetime(2020, 7, 2, tzinfo=UTC)))
    assert len(revisions(connection, "s", "1")) == 2
    gone = forget(connection, "id", "1", reason="asked by the author")
    assert (gone.articles, left(connection), revisions(connection, "s", "1")) == (1, ["2"], [])
    assert count(connection, "article_body") == 1


@pytest.mark.parametrize(
    ("kind", "value", "rest"),
    [
        ("id", "1", ["2", "3"]),
        ("press", "신문 1", ["2"]),
        ("url", "https://h/1", ["2", "3"]),
        ("url", "http://h/1/#comments", ["2", "3"]),
        ("url", "https://own/2", ["1", "3"]),
    ],
)
def test_what_was_forgotten_is_never_stored_again(connection, kind, value, rest):
    batch = [article(1), article(2, canonical_url="https://own/2"), article(3)]
    stored(connection, *batch)
    forget(connection, kind, value)
    assert left(connection) == rest
    assert stored(connection, *batch) == StoreCounts(0, 0, len(rest), 3 - len(rest))
    assert left(connection) == rest


def test_an_order_that_comes_before_the_article_holds_too(connection):
    assert forget(connection, "press", "신문 1").articles == 0
    forget(connection, "url", "https://h/2")
    assert stored(connection, article(1), article(2), article(4)) == StoreCounts(1, 0, 0, 2)


def test_a_forgotten_article_is_known_so_that_nobody_fetches_it(connection):
    stored(connection, article(1))
    forget(connection, "id", "1")
    with transaction(connection) as cursor:
        assert known(cursor, "s", ["1", "2"]) == {"1"}


def test_the_article_does_not_come_back_under_another_address(connection):
    stored(connection, article(1))
    forget(connection, "url", "https://h/1")
    assert stored(connection, article(1, url="https://mobile.h/1")).refused == 1


def test_one_source_can_be_meant_alone(connection):
    stored(connection, article(1), article(1, source="t"))
    forget(connection, "press", "신문 1", source="t")
    assert (left(connection, "s"), left(connection, "t")) == (["1"], [])
    assert stored(connection, article(3), article(3, source="t")) == StoreCounts(1, 0, 0, 1)


def test_the_record_says_what_when_and_why(connection):
    stored(connection, article(1), article(3))
    forget(connection, "press", "신문 1", reason="court order 12")
    forget(connection, "press", "신문 1")
    with transaction(connection) as cursor:
        cursor.execute("SELECT kind, value, reason, articles, made_at <= now() FROM takedown")
        assert cursor.fetchall() == [("press", "신문 1", "court order 12", 2, True)]


def test_a_takedown_waits_for_what_is_being_stored_and_gets_it_too(connection, database_url):
    with contextlib.closing(connect(database_url)) as other:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(forget(other, "press", "신문 1")))
        with transaction(connection) as cursor:
            store(cursor, [article(1)])
            thread.start()
            thread.join(0.2)
            assert thread.is_alive()
        thread.join()
    assert (answers[0].articles, left(connection)) == (1, [])


def test_storing_does_not_keep_storing_waiting(connection, database_url):
    with (
        contextlib.closing(connect(database_url)) as other,
        transaction(connection) as cursor,
        transaction(other) as second,
    ):
        assert (hold_off(cursor), hold_off(second)) == (False, False)


def test_a_reader_passes_over_what_goes_while_it_reads(connection, database_url):
    stored(connection, *(article(number) for number in range(10)))
    reading = read_trainable(connection, "s", batch=3)
    first = next(reading)
    with contextlib.closing(connect(database_url)) as other:
        forget(other, "press", "신문 0")
    rest = [a.native_id for a in reading]
    assert {a for a in rest if int(a) % 2} | {first.native_id} >= {"1", "3", "5", "7", "9"}
    assert not {"8", "6", "4"} & set(rest)


def test_corpora_that_hold_it_are_named_until_they_are_built_again(connection):
    stored(connection, article(1), article(2), article(2, source="t"))
    for workspace, source in (("/runs/a", "s"), ("/runs/b", "s"), ("/runs/c", "t")):
        register_corpus(connection, workspace, source)
    assert forget(connection, "id", "1").workspaces == ("/runs/a", "/runs/b")
    register_corpus(connection, "/runs/a", "s")
    assert forget(connection, "id", "1").workspaces == ("/runs/b",)


@pytest.mark.parametrize(("kind", "value", "rule"), [("email", "x", "must be one of"), ("url", "  ", "is empty")])
def test_a_wrong_order_is_refused(connection, kind, value, rule):
    with pytest.raises(UsageError, match=rule):
        forget(connection, kind, value)


def test_what_was_refused_once_is_known_by_its_id(connection):
    forget(connection, "press", "신문 1")
    assert stored(connection, article(1)).refused == 1
    with transaction(connection) as cursor:
        assert known(cursor, "s", ["1", "2"]) == {"1"}
