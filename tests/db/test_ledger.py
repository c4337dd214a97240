"""Every slice of work is done once, whoever is killed."""

import threading
from datetime import UTC, date, datetime, timedelta

import psycopg2
import pytest

from korbert.db.articles import Article, store, summary
from korbert.db.connection import connect, transaction
from korbert.db.ledger import (
    LeaseLost,
    SliceKey,
    finish,
    lease,
    pending,
    plan,
    progress,
    release,
    renew,
    reopen,
    retry_failed,
    spend_call,
    split,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=61)


def planned(connection, count: int, source: str = "newsroom") -> list[SliceKey]:
    keys = [SliceKey(source, "search", "정부", page=page) for page in range(1, count + 1)]
    with transaction(connection) as cursor:
        assert plan(cursor, keys) == count
    return keys


def finished(connection, slice_, worker: str, state: str = "done", **outcome) -> None:
    with transaction(connection) as cursor:
        finish(cursor, slice_, worker, state, **outcome)


def test_a_plan_made_again_adds_only_what_is_new(connection):
    keys = planned(connection, 3)
    more = [SliceKey("newsroom", "list", month="2016-01"), SliceKey("newsroom", "search", "정부", page=4)]
    with transaction(connection) as cursor:
        assert plan(cursor, keys + more + more) == 2
        assert plan(cursor, []) == 0
    assert pending(connection, "newsroom") == 5


def test_slices_are_leased_in_the_order_of_the_plan(connection):
    keys = planned(connection, 5)
    assert [lease(connection, "newsroom", "w", 60).key for _ in keys] == keys
    assert lease(connection, "newsroom", "w", 60) is None


def test_slices_of_another_source_are_left_alone(connection):
    planned(connection, 1, "other")
    assert lease(connection, "newsroom", "w", 60) is None
    assert progress(connection, "newsroom") == dict.fromkeys(("pending", "leased", "done", "capped", "failed"), 0)


def test_crawlers_at_once_do_each_slice_exactly_once(connection, database_url):
    planned(connection, 200)
    done: list[int] = []

    def crawl(worker: str) -> None:
        own = connect(database_url)
        while slice_ := lease(own, "newsroom", worker, 60):
            done.append(slice_.id)
            finished(own, slice_, worker)
        own.close()

    threads = [threading.Thread(target=crawl, args=(f"w{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(set(done)) == 200
    assert progress(connection, "newsroom")["done"] == 200


def test_a_lease_that_ran_out_is_taken_over_and_the_first_finish_is_refused(connection):
    planned(connection, 1)
    first = lease(connection, "newsroom", "first", 60, NOW)
    assert lease(connection, "newsroom", "second", 60, NOW) is None
    second = lease(connection, "newsroom", "second", 60, LATER)
    assert (second.id, second.attempts) == (first.id, 2)
    with pytest.raises(LeaseLost, match="the lease of first ran out and another crawler took it"):
        finished(connection, first, "first")
    finished(connection, second, "second")
    assert progress(connection, "newsroom")["done"] == 1


def test_the_same_worker_cannot_finish_an_older_lease_of_its_own(connection):
    planned(connection, 1)
    old = lease(connection, "newsroom", "w", 60, NOW)
    new = lease(connection, "newsroom", "w", 60, LATER)
    with pytest.raises(LeaseLost):
        finished(connection, old, "w")
    finished(connection, new, "w")


def test_a_lease_that_ran_out_and_was_taken_by_nobody_is_still_good(connection):
    planned(connection, 1)
    finished(connection, lease(connection, "newsroom", "w", 60, NOW - timedelta(days=1)), "w")
    assert pending(connection, "newsroom") == 0


def test_a_renewed_lease_is_not_taken_over(connection):
    planned(connection, 1)
    held = lease(connection, "newsroom", "w", 60, NOW)
    with transaction(connection) as cursor:
        renew(cursor, held, "w", 60, NOW + timedelta(seconds=30))
    assert lease(connection, "newsroom", "thief", 60, LATER) is None
    lease(connection, "newsroom", "thief", 60, LATER + timedelta(seconds=30))
    with pytest.raises(LeaseLost), transaction(connection) as cursor:
        renew(cursor, held, "w", 60, LATER)


def test_a_refused_finish_takes_its_articles_with_it(connection):
    article = Article("newsroom", "1", "", "", "본문", "", "", "", NOW, "KOGL-1", True, "")
    planned(connection, 1)
    old = lease(connection, "newsroom", "old", 60, NOW)
    lease(connection, "newsroom", "new", 60, LATER)
    with pytest.raises(LeaseLost), transaction(connection) as cursor:
        store(cursor, [article])
        finish(cursor, old, "old", "done")
    assert summary(connection, "newsroom").articles == 0


def test_a_finished_slice_cannot_be_finished_again(connection):
    planned(connection, 1)
    held = lease(connection, "newsroom", "w", 60)
    finished(connection, held, "w", total=12, seen=10)
    with pytest.raises(LeaseLost):
        finished(connection, held, "w", "failed")


def test_the_outcome_is_recorded(connection):
    planned(connection, 1)
    finished(connection, lease(connection, "newsroom", "w", 60), "w", "capped", total=5000, seen=1099, error="x\0y")
    with transaction(connection) as cursor:
        cursor.execute("SELECT state, total, seen, error, worker, leased_until FROM slice")
        assert cursor.fetchone() == ("capped", 5000, 1099, "xy", "", None)


def test_released_slices_are_free_at_once_and_count_no_attempt(connection):
    planned(connection, 3)
    for worker in ("w", "w", "other"):
        lease(connection, "newsroom", worker, 60)
    with transaction(connection) as cursor:
        assert release(cursor, "w") == 2
    assert progress(connection, "newsroom")["leased"] == 1
    assert lease(connection, "newsroom", "next", 60).attempts == 1


def test_a_slice_to_be_tried_again_waits_for_those_not_tried(connection):
    keys = planned(connection, 2)
    finished(connection, lease(connection, "newsroom", "w", 60), "w", "pending", error="timed out")
    assert lease(connection, "newsroom", "w", 60).key == keys[1]
    again = lease(connection, "newsroom", "w", 60)
    assert (again.key, again.attempts, again.error) == (keys[0], 2, "timed out")


def test_failed_slices_stay_failed_until_they_are_asked_for(connection):
    planned(connection, 2)
    finished(connection, lease(connection, "newsroom", "w", 60), "w", "failed", error="404")
    finished(connection, lease(connection, "newsroom", "w", 60), "w", "done")
    assert lease(connection, "newsroom", "w", 60) is None
    with transaction(connection) as cursor:
        assert retry_failed(cursor, "newsroom") == 1
    assert lease(connection, "newsroom", "w", 60).attempts == 1


def test_all_crawlers_together_stay_within_the_budget_of_a_day(connection, database_url):
    day = date(2026, 11, 22)
    granted: list[bool] = []

    def crawl() -> None:
        own = connect(database_url)
        for _ in range(15):
            with transaction(own) as cursor:
                granted.append(spend_call(cursor, "naver", day, 25))
        own.close()

    threads = [threading.Thread(target=crawl) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (granted.count(True), granted.count(False)) == (25, 20)
    with transaction(connection) as cursor:
        assert spend_call(cursor, "naver", date(2026, 11, 23), 25)
        assert spend_call(cursor, "other", day, 25)
        assert not spend_call(cursor, "third", day, 0)


@pytest.mark.parametrize("key", [("search", "", "", 0), ("browse", "", "", 1), ("list", "", "January", 1)])
def test_a_slice_that_makes_no_sense_is_refused_by_the_schema(connection, key):
    with pytest.raises(psycopg2.errors.CheckViolation), transaction(connection) as cursor:
        plan(cursor, [SliceKey("newsroom", *key)])


def test_a_capped_slice_names_the_queries_it_was_split_into(connection):
    planned(connection, 1)
    slice_ = lease(connection, "newsroom", "w", 60)
    narrower = [SliceKey("newsroom", "search", query=f"정부 {term}") for term in ("예산", "외교")]
    with transaction(connection) as cursor:
        finish(cursor, slice_, "w", "capped", 5000, 100)
        assert split(cursor, slice_, narrower) == 2
        assert split(cursor, slice_, narrower) == 0
        cursor.execute("SELECT split_into FROM slice WHERE id = %s", (slice_.id,))
        assert cursor.fetchone() == (["정부 예산", "정부 외교"],)
    assert progress(connection, "newsroom") | {"capped": 1, "pending": 2} == progress(connection, "newsroom")


def test_another_cursor_is_another_slice(connection):
    first = SliceKey("s", "section", "101/259", "2024-01-01", 2, "a")
    with transaction(connection) as cursor:
        assert plan(cursor, [first, first, SliceKey("s", "section", "101/259", "2024-01-01", 2, "b")]) == 2
    assert lease(connection, "s", "w", 60).key == first


def test_what_may_hold_something_new_is_opened_again(connection):
    again = [
        SliceKey("s", "search", "정부", page=2),
        SliceKey("s", "feed", "https://h.example/rss"),
        SliceKey("s", "list", month="2024-02"),
        SliceKey("s", "list", month="2024-03"),
        SliceKey("s", "list", "101/259", "2024-02-29"),
        SliceKey("s", "section", "101/259", "2024-03-01"),
        # A window of three days that begins then ends on the day before the last success.
        SliceKey("s", "api", month="2024-02-27"),
    ]
    finished_for_good = [
        SliceKey("s", "list", month="2024-01"),
        SliceKey("s", "list", "101/259", "2024-02-26"),
        SliceKey("s", "section", "101/259", "2024-03-01", 2, "old cursor"),
        SliceKey("s", "file", "CC-NEWS-20240301.warc.gz"),
    ]
    with transaction(connection) as cursor:
        plan(cursor, again + finished_for_good)
        cursor.execute("UPDATE slice SET state = 'done'")
        plan(cursor, [SliceKey("other", "search", "정부")])
        cursor.execute("UPDATE slice SET state = 'done' WHERE source = 'other'")
        assert reopen(cursor, "s", date(2024, 3, 1)) == len(again)
    assert [lease(connection, "s", "w", 60).key for _ in again] == again
    assert lease(connection, "s", "w", 60) is None
    assert progress(connection, "other")["done"] == 1


def test_a_plan_of_many_slices_made_again_adds_only_what_is_new_in_its_order(connection, monkeypatch):
    monkeypatch.setattr("korbert.db.ledger.PLANNED", 3)
    days = [SliceKey("s", "list", "101/259", f"2024-03-{day:02d}") for day in range(1, 9)]
    with transaction(connection) as cursor:
        assert plan(cursor, days[2:6]) == 4
        assert plan(cursor, [*days, *days]) == 4
        assert plan(cursor, days) == 0
    assert [lease(connection, "s", "w", 60).key for _ in days] == [*days[2:6], *days[:2], *days[6:]]
