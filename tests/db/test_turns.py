"""Crawlers of all machines keep one delay at a host."""

import contextlib
import threading
from datetime import UTC, datetime, timedelta

import pytest

from korbert.db.connection import connect, transaction
from korbert.db.turns import hush, take

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def turn(connection, host, delay, seconds=0.0):
    with transaction(connection) as cursor:
        return take(cursor, host, delay, now=NOON + timedelta(seconds=seconds))


def test_turns_lie_a_delay_apart(connection):
    assert [turn(connection, "h", 2) for _ in range(4)] == [0, 2, 4, 6]
    assert turn(connection, "h", 2, seconds=7) == 1


def test_unused_time_is_not_saved_up(connection):
    turn(connection, "h", 2)
    assert [turn(connection, "h", 2, seconds=100) for _ in range(3)] == [0, 2, 4]


def test_hosts_do_not_wait_for_each_other(connection):
    assert [turn(connection, "h", 5), turn(connection, "i", 5)] == [0, 0]


def test_a_silence_holds_for_everyone_and_is_never_shortened(connection):
    for seconds in (60, 10):
        with transaction(connection) as cursor:
            hush(cursor, "h", seconds, now=NOON)
    assert [turn(connection, "h", 1), turn(connection, "h", 1, seconds=50)] == [60, 11]


def test_many_crawlers_at_once_get_distinct_turns(database_url):
    waits = []

    def crawler():
        with contextlib.closing(connect(database_url)) as own:
            for _ in range(10):
                waits.append(turn(own, "h", 1))

    threads = [threading.Thread(target=crawler) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx(list(range(40)))


def test_the_databases_clock_decides_without_another(connection):
    with transaction(connection) as cursor:
        assert take(cursor, "h", 1000) == 0
        assert 990 < take(cursor, "h", 1000) <= 1000
