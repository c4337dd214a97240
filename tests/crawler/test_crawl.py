"""Whole crawls: newsroom, crawler processes and a real database, whole and killed in the middle."""

import os
import shutil
import signal
import time
import uuid
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from crawler import worker
from crawler.crawl import Result
from crawler.items import Tally
from crawler.newsroom.articles import load
from crawler.newsroom.pages import path_of
from crawler.newsroom.server import Answer, Faults, serving
from crawler.settings import MAX_BYTES
from korbert.db import ledger
from korbert.db.articles import read_trainable, summary
from korbert.db.connection import connect, transaction
from korbert.db.embedded import database

SOURCE = "newsroom-test"


def stored(url):
    connection = connect(url)
    try:
        return {article.native_id: article for article in read_trainable(connection, SOURCE)}
    finally:
        connection.close()


def slices(url, columns="state"):
    connection = connect(url)
    try:
        with transaction(connection) as cursor:
            cursor.execute(f"SELECT {columns} FROM slice WHERE source = %s ORDER BY id", (SOURCE,))
            return [row[0] if len(row) == 1 else row for row in cursor.fetchall()]
    finally:
        connection.close()


def digest(url):
    connection = connect(url)
    try:
        return summary(connection, SOURCE).digest
    finally:
        connection.close()


def require_whole(url, articles):
    """All articles are there, each as printed, and no slice is left."""
    found = stored(url)
    assert {id: (a.title, a.text, a.press, a.section, a.published_at) for id, a in found.items()} == {
        a.id: (a.title, a.text, a.press, a.section, a.published) for a in articles
    }
    assert set(slices(url)) == {"done"}


@pytest.mark.shared
def test_real_articles_are_crawled_as_they_are(crawls, shared_data):
    real = load(shared_data / "corpus" / "news.jsonl.zst", limit=150)
    crawls.configure(since="2022-01", until="2023-12", concurrency=16)
    with serving(real) as site:
        end = crawls.run(site.root)
    assert end.code == 0, end.err
    require_whole(crawls.database_url, real)


def one_line(ended):
    assert "Traceback" not in ended.err
    return ended.err.strip().splitlines()[-1]


def test_a_crawl_stores_every_article_as_printed_and_a_second_fetches_nothing(crawls, articles):
    with serving(articles) as site:
        first = crawls.run(site.root)
        assert first.code == 0, first.err
        assert first.out.count("\n") == 1
        assert first.out.startswith("crawl: ")
        require_whole(crawls.database_url, articles)
        assert set(site.asked.values()) == {1}
        before = site.hits.copy()
        second = crawls.run(site.root)
        assert (second.code, site.hits) == (0, before)


def test_search_alone_finds_its_articles_and_plans_its_pages(crawls, articles):
    crawls.configure(queries=("경제",), since="2011-01", until="2011-01", page_size=7)
    with serving(articles) as site:
        assert crawls.run(site.root).code == 0
    assert set(stored(crawls.database_url)) == {a.id for a in articles if "경제" in a.text}
    kinds = Counter(slices(crawls.database_url, "kind"))
    assert kinds == {"list": 1, "search": 3}


def test_failed_slices_make_exit_code_3_and_open_ones_1_and_capped_ones_none():
    states = dict.fromkeys(ledger.STATES, 0)
    assert Result(Tally(), {**states, "done": 3, "capped": 1}).code() == 0
    assert Result(Tally(), {**states, "done": 3, "failed": 1}).code() == 3
    assert Result(Tally(), {**states, "done": 3, "pending": 1}).code() == 1
    assert Result(Tally(stopped_by=15), {**states, "pending": 1}).code() == 143


def test_killed_in_mid_run_the_same_command_ends_with_the_same_articles(crawls, articles, until):
    crawls.configure(lease_seconds=3600, concurrency=2)
    with serving(articles, Faults(seconds=0.02)) as site:
        for _ in range(3):
            process = crawls.start(site.root)
            fetched = site.hits["article"]
            until(lambda fetched=fetched: site.hits["article"] >= fetched + 8)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert "leased" in slices(crawls.database_url)
        # A lease lasts an hour here: only because the holders are known to be dead does this end.
        last = crawls.run(site.root)
    assert last.code == 0, last.err
    require_whole(crawls.database_url, articles)


def test_the_same_site_gives_the_same_digest_however_often_the_crawl_was_killed(crawls, articles, until):
    with serving(articles, Faults(seconds=0.01)) as site:
        process = crawls.start(site.root)
        until(lambda: site.hits["article"] >= 15)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert crawls.run(site.root).code == 0
        broken = digest(crawls.database_url)
        connection = connect(crawls.database_url)
        with transaction(connection) as cursor:
            cursor.execute("TRUNCATE article CASCADE; TRUNCATE slice")
        connection.close()
        assert crawls.run(site.root).code == 0
    assert digest(crawls.database_url) == broken


def test_sigterm_keeps_what_was_fetched_and_gives_the_leases_back(crawls, articles, until):
    crawls.configure(concurrency=2)
    with serving(articles, Faults(seconds=0.05)) as site:
        process = crawls.start(site.root)
        until(lambda: site.hits["article"] >= 10)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 128 + signal.SIGTERM, err
        assert "run the same command again" in out
        states = slices(crawls.database_url, "state, worker, attempts")
        assert not [row for row in states if row[0] == "leased"]
        assert all(attempts == 0 for state, _, attempts in states if state == "pending")
        kept = len(stored(crawls.database_url))
        assert kept >= 8
        asked = site.hits["article"]
        assert crawls.run(site.root).code == 0
        assert site.hits["article"] - asked == len(articles) - kept
    require_whole(crawls.database_url, articles)


def test_two_crawlers_share_one_ledger(crawls, articles):
    with serving(articles, Faults(seconds=0.02)) as site:
        both = [crawls.start(site.root) for _ in range(2)]
        ends = [process.communicate(timeout=60) for process in both]
        assert [process.returncode for process in both] == [0, 0], ends
        # Each slice has one owner; only search and list may meet the same article at the same time.
        assert site.hits["list"] == 4
    require_whole(crawls.database_url, articles)


def test_a_lost_database_ends_the_crawl_with_one_line_and_a_second_run_completes_it(crawls, articles, until):
    with serving(articles, Faults(seconds=0.02)) as site:
        process = crawls.start(site.root)
        until(lambda: site.hits["article"] >= 10)
        connection = connect(crawls.database_url)
        with transaction(connection) as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        connection.close()
        out, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert out == ""
        assert err.startswith("crawler: database: ")
        assert err.count("\n") == 1
        assert crawls.run(site.root).code == 0
    require_whole(crawls.database_url, articles)


def test_postgres_killed_in_mid_run_and_started_again_loses_no_article(
    tmp_path, articles, until, monkeypatch, crawls_in
):
    folder = Path(os.environ["KORBERT_PG_DATA"]) / uuid.uuid4().hex[:8]
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("KORBERT_PG_DATA", str(folder))
    try:
        with database(tmp_path / "home") as url, serving(articles, Faults(seconds=0.02)) as site:
            crawls = crawls_in(url)
            process = crawls.start(site.root)
            until(lambda: site.hits["article"] >= 15)
            (pid_file,) = folder.rglob("postmaster.pid")
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
            _, err = process.communicate(timeout=30)
            assert (process.returncode, err.count("\n")) == (1, 1), err
            assert err.startswith("crawler: database: ")
            with database(tmp_path / "home") as again:
                crawls.database_url = again
                assert crawls.run(site.root).code == 0
                require_whole(again, articles)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_articles_that_are_gone_are_counted_and_hold_nothing_up(crawls, articles):
    gone = frozenset({articles[0].id, articles[7].id})
    with serving(articles, Faults(missing=gone)) as site:
        end = crawls.run(site.root)
    assert end.code == 0
    assert "2 missing" in end.out
    assert set(stored(crawls.database_url)) == {a.id for a in articles} - gone
    assert f"skipped {site.root}" in end.err


def test_an_article_that_never_answers_fails_its_slices_and_no_other(crawls, articles):
    broken = articles[2]
    crawls.configure(queries=(), retries=0)
    with serving(articles, Faults(broken=frozenset({broken.id}))) as site:
        end = crawls.run(site.root)
        assert end.code == 3
        assert set(stored(crawls.database_url)) == {a.id for a in articles} - {broken.id}
        rows = slices(crawls.database_url, "month, state, attempts, error")
        failed = [row for row in rows if row[1] == "failed"]
        assert [(row[0], row[2]) for row in failed] == [(f"{broken.published:%Y-%m}", 1)]
        assert "answered 500" in failed[0][3]
        assert {row[1] for row in rows} == {"done", "failed"}
        # Mended, the same command takes up what failed.
        site.faults = replace(site.faults, broken=frozenset())
        assert crawls.run(site.root).code == 0
    require_whole(crawls.database_url, articles)


def test_errors_and_cut_off_answers_that_pass_are_retried(crawls, articles):
    crawls.configure(retries=4, concurrency=16)
    with serving(articles, Faults(error_every=13, truncate_every=17)) as site:
        end = crawls.run(site.root)
    assert end.code == 0, end.err
    require_whole(crawls.database_url, articles)


def test_retry_after_keeps_all_requests_waiting(crawls, articles):
    with serving(articles, Faults(unavailable_first=1, retry_after="1")) as site:
        end = crawls.run(site.root)
        assert end.code == 0, end.err
        assert site.hits["article"] <= len(articles) + 16
    require_whole(crawls.database_url, articles)


@pytest.mark.parametrize("status", [503, 429])
def test_a_robots_txt_that_cannot_be_read_allows_nothing(crawls, articles, status):
    crawls.configure(retries=0)
    with serving(articles, Faults(robots_status=status)) as site:
        end = crawls.run(site.root)
        assert end.code == 1
        assert f"robots.txt: answered {status}" in one_line(end)
        assert "RFC 9309" in one_line(end)
        assert site.hits == {"robots": 1}
    assert set(slices(crawls.database_url, "state, attempts")) == {("pending", 0)}


def test_a_site_that_does_not_answer_is_not_crawled(crawls):
    crawls.configure(retries=0)
    end = crawls.run("http://127.0.0.1:1")
    assert end.code == 1
    assert "robots.txt: could not be read" in one_line(end)


def test_a_missing_robots_txt_allows_everything(crawls, articles):
    with serving(articles, Faults(robots_status=404, robots="User-agent: *\nDisallow: /\n")) as site:
        assert crawls.run(site.root).code == 0
    require_whole(crawls.database_url, articles)


def test_what_robots_txt_disallows_is_not_fetched(crawls, articles):
    rules = "User-agent: *\nDisallow: /\n\nUser-agent: korbert-crawler\nDisallow: /main/\n"
    with serving(articles, Faults(robots=rules)) as site:
        end = crawls.run(site.root)
        assert end.code == 0, end.err
        assert set(site.asked) == {a.id for a in articles if not a.legacy}
    assert "24 forbidden" in end.out
    assert set(stored(crawls.database_url)) == {a.id for a in articles if not a.legacy}


def test_a_spent_daily_quota_stops_the_search_and_not_the_lists(crawls, articles):
    with serving(articles, Faults(calls_a_day=1)) as site:
        end = crawls.run(site.root)
        assert site.hits["search"] == 2
    assert end.code == 1
    assert "010" in end.out
    assert "tomorrow" in end.out
    assert len(stored(crawls.database_url)) == len(articles)
    rows = slices(crawls.database_url, "kind, state")
    assert {kind for kind, state in rows if state == "pending"} == {"search"}
    assert {state for kind, state in rows if kind == "list"} == {"done"}


def test_our_own_daily_budget_is_kept_over_runs(crawls, articles):
    crawls.configure(daily_calls=1)
    with serving(articles) as site:
        assert [crawls.run(site.root).code, crawls.run(site.root).code] == [1, 1]
        assert site.hits["search"] == 1


def test_too_many_calls_a_second_are_made_again_later(crawls, articles):
    crawls.configure(retries=5)
    with serving(articles, Faults(calls_a_second=1)) as site:
        assert crawls.run(site.root).code == 0
        assert site.hits["search"] > 2
    require_whole(crawls.database_url, articles)


def test_an_api_in_trouble_fails_its_slice_and_no_list(crawls, articles):
    crawls.configure(retries=1)
    with serving(articles, Faults(search_error="SE99")) as site:
        end = crawls.run(site.root)
        assert site.hits["search"] == 4  # two calls a try of the slice, two tries
    assert end.code == 3
    assert "SE99" in end.err
    assert len(stored(crawls.database_url)) == len(articles)


def test_a_query_that_the_api_refuses_is_not_asked_again(crawls, articles):
    with serving(articles, Faults(search_error="SE01")) as site:
        assert crawls.run(site.root).code == 3
        assert site.hits["search"] == 1


@pytest.mark.parametrize(("delay", "rule"), [(0.2, ""), (0.0, "Crawl-delay: 0.2\n")])
def test_the_delay_is_kept_whether_it_is_ours_or_the_sites(crawls, articles, delay, rule):
    crawls.configure(delay=delay, queries=(), since="2019-11", until="2019-11", concurrency=16)
    times = []
    with serving(articles, Faults(robots=f"User-agent: *\n{rule}Disallow: /admin/\n")) as site:
        answer = site.answer
        site.answer = lambda target, headers: (times.append(time.monotonic()), answer(target, headers))[1]
        assert crawls.run(site.root).code == 0
    assert len(times) == 14  # robots.txt, the list page, twelve articles
    # Half a delay for the clocks: no test may depend on how busy the machine is.
    assert times[-1] - times[1] >= 0.2 * 11.5


def test_another_host_is_not_visited_and_a_huge_page_not_read(crawls, articles):
    away, huge, loop = (path_of(article) for article in articles[:3])
    with serving(articles) as other, serving(articles) as site:
        answer = site.answer
        answers = {
            away: Answer(302, "text/html", b"", (("Location", other.root + away),)),
            huge: Answer(200, "text/html", b"x" * (MAX_BYTES + 1)),
            loop: Answer(302, "text/html", b"", (("Location", site.root + loop),)),
        }
        site.answer = lambda target, headers: answers.get(target) or answer(target, headers)
        end = crawls.run(site.root)
        assert not other.hits
    assert end.code == 0, end.err
    assert "2 forbidden; 1 too_large" in end.out
    assert len(stored(crawls.database_url)) == len(articles) - 3


def test_a_new_layout_fails_slices_instead_of_passing_for_done(crawls, articles):
    crawls.configure(queries=())
    with serving(articles) as site:
        answer = site.answer
        site.answer = lambda target, headers: (
            Answer(200, "text/html", "<h1>새 모양</h1>".encode()) if "/mnews/" in target else answer(target, headers)
        )
        end = crawls.run(site.root)
        assert end.code == 3
        assert "the layout may be new" in end.err
        assert Counter(slices(crawls.database_url)) == {"done": 2, "failed": 2}
        site.answer = answer
        assert crawls.run(site.root).code == 0
    require_whole(crawls.database_url, articles)


def test_refused_keys_are_said_and_leave_the_search_for_later(crawls, articles):
    with serving(articles, Faults(search_error="024")) as site:
        end = crawls.run(site.root)
        assert site.hits["search"] == 1
    assert end.code == 1
    assert "NAVER_CLIENT_ID" in end.out


def test_a_lease_of_another_machine_is_waited_for(crawls, articles):
    connection = connect(crawls.database_url)
    keys = [ledger.SliceKey(SOURCE, "list", month="2019-11")]
    with transaction(connection) as cursor:
        ledger.plan(cursor, keys)
    assert ledger.lease(connection, SOURCE, "elsewhere/1/1/1#0", 4) is not None
    connection.close()
    assert not worker.is_dead("elsewhere/1/1/1#0")
    with serving(articles) as site:
        assert crawls.run(site.root).code == 0
    require_whole(crawls.database_url, articles)
