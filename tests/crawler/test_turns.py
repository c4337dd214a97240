"""Politeness over processes: one delay a host, kept by the database that all crawlers share."""

import time

import pytest

from crawler.newsroom.server import Answer, Faults, serving
from korbert.db.connection import connect, transaction

DELAY = 0.15


def timed(site):
    """The times of a site's requests, robots.txt aside."""
    times, answer = [], site.answer

    def noted(target, headers):
        if target != "/robots.txt":
            times.append(time.monotonic())
        return answer(target, headers)

    site.answer = noted
    return times


def turns(url):
    connection = connect(url)
    with transaction(connection) as cursor:
        cursor.execute("SELECT host FROM host_turn")
        hosts = [row[0] for row in cursor.fetchall()]
    connection.close()
    return hosts


@pytest.mark.parametrize(("delay", "rule"), [(DELAY, ""), (0.0, f"Crawl-delay: {DELAY}\n")])
def test_two_crawlers_together_keep_one_delay(crawls, articles, delay, rule):
    crawls.configure(delay=delay, queries=())
    with serving(articles[:24], Faults(robots=f"User-agent: *\n{rule}Disallow: /admin/\n")) as site:
        times = timed(site)
        both = [crawls.start(site.root) for _ in range(2)]
        ends = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert len(times) == 28  # four list pages, 24 articles
    # Each for itself would keep the delay, and both together half of it. The rest is for the clocks of a busy machine.
    assert times[-1] - times[0] >= DELAY * 27 * 0.75
    assert turns(crawls.database_url) == ["127.0.0.1"]


def test_without_a_delay_nobody_takes_a_turn(crawls, articles):
    with serving(articles) as site:
        assert crawls.run(site.root).code == 0
    assert turns(crawls.database_url) == []


def test_what_one_crawler_is_asked_to_wait_all_wait(crawls, articles):
    crawls.configure(delay=0.01, queries=(), retries=3)
    with serving(articles) as site:
        answer = site.answer
        refused = []

        def refusing(target, headers):
            if target.startswith("/mnews/") and not refused:
                refused.append(target)
                return Answer(429, "text/plain", b"", (("Retry-After", "2"),))
            return answer(target, headers)

        site.answer = refusing
        assert crawls.run(site.root).code == 0
        connection = connect(crawls.database_url)
        with transaction(connection) as cursor:
            cursor.execute("SELECT next_at - (SELECT min(updated_at) FROM slice) > interval '2 s' FROM host_turn")
            assert cursor.fetchone() == (True,)
        connection.close()


def test_a_crawler_that_is_stopped_does_not_wait_for_its_turns(crawls, articles, until):
    # Turns for minutes are reserved by then.
    crawls.configure(delay=20.0, queries=(), concurrency=8)
    with serving(articles) as site:
        process = crawls.start(site.root)
        until(lambda: site.hits["robots"] == 1)
        until(lambda: turns(crawls.database_url) != [])
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "run the same command again" in out
    assert site.hits["article"] == 0


def test_a_crawler_that_is_stopped_before_it_could_read_robots_txt_ends_in_order(crawls, articles, until):
    crawls.configure(delay=1.0, queries=())
    connection = connect(crawls.database_url)
    with transaction(connection) as cursor:
        cursor.execute("INSERT INTO host_turn (host, next_at) VALUES ('127.0.0.1', '2100-01-01')")

    def reserved():
        with transaction(connection) as cursor:
            cursor.execute("SELECT next_at > '2100-01-01' FROM host_turn")
            return cursor.fetchone()[0]

    with serving(articles) as site:
        process = crawls.start(site.root)
        until(reserved)
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert not site.hits
    assert (process.returncode, err) == (143, "")
    with transaction(connection) as cursor:
        cursor.execute("SELECT DISTINCT state, attempts FROM slice")
        assert cursor.fetchall() == [("pending", 0)]
    connection.close()
