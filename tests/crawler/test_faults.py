"""What a site may do to a crawler, done by the newsroom; what the crawler then does, in whole crawls."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.newsroom.pages import path_of
from crawler.newsroom.server import Answer, Faults, serving
from korbert.db.articles import read_trainable
from korbert.db.connection import connect, transaction
from korbert.db.ledger import SliceKey, plan

SOURCE = "newsroom-test"
MEGABYTE = 2**20


def stored(url):
    connection = connect(url)
    try:
        return {article.native_id: article.text for article in read_trainable(connection, SOURCE)}
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


def answering(site, answers):
    """Makes the site answer some paths otherwise."""
    answer = site.answer
    site.answer = lambda target, headers: answers.get(target) or answer(target, headers)


def test_pages_that_never_end_are_given_up_and_tried_by_the_next_run(crawls, articles):
    crawls.configure(queries=(), since="2020-01", until="2020-01", timeout=0.5, retries=0)
    mine = {article.id for article in articles if article.published.month == 1}
    with serving(articles, Faults(seconds=3.0)) as site:
        end = crawls.run(site.root, "--json")
        assert end.code == 3
        assert "12 of 12 articles" in end.err
        assert "imeout" in end.err
        assert json.loads(end.out.splitlines()[-1])["requests"]["DownloadTimeoutError"] == 12
        site.faults = replace(site.faults, seconds=0.0)
        assert crawls.run(site.root).code == 0
    assert stored(crawls.database_url).keys() == mine


@pytest.mark.parametrize("length", [True, False])
def test_a_body_of_two_gigabytes_is_cut_off_in_little_memory(crawls, articles, length):
    crawls.configure(queries=())
    huge = Answer(200, "text/html", b"<html>", zeros=2048 * MEGABYTE, length=length)
    with serving(articles) as site:
        answering(site, {path_of(articles[0]): huge})
        end = crawls.run(site.root, "--json")
    assert end.code == 0, end.err
    summary = json.loads(end.out.splitlines()[-1])
    assert summary["skipped"] == {"too_large": 1}
    assert summary["received_bytes"] < 9 * MEGABYTE
    assert summary["peak_memory_mb"] < 400
    assert len(stored(crawls.database_url)) == len(articles) - 1


def test_a_gzip_bomb_is_cut_off_in_little_memory(crawls, articles):
    crawls.configure(queries=())
    bomb = gzip.compress(bytes(512 * MEGABYTE), compresslevel=1)
    assert len(bomb) < 4 * MEGABYTE
    with serving(articles) as site:
        answering(site, {path_of(articles[0]): Answer(200, "text/html", bomb, (("Content-Encoding", "gzip"),))})
        end = crawls.run(site.root, "--json")
    assert end.code == 0, end.err
    summary = json.loads(end.out.splitlines()[-1])
    assert summary["skipped"] == {"too_large": 1}
    assert summary["peak_memory_mb"] < 400


def test_a_list_page_of_two_gigabytes_fails_its_slice_and_no_other(crawls, articles):
    crawls.configure(queries=())
    with serving(articles) as site:
        answering(site, {"/list?month=2019-12&page=1": Answer(200, "text/html", b"", zeros=2048 * MEGABYTE)})
        end = crawls.run(site.root)
    assert end.code == 3
    assert Counter(slices(crawls.database_url)) == {"done": 3, "failed": 1}
    assert len(stored(crawls.database_url)) == 36


def test_a_robots_txt_of_two_gigabytes_allows_nothing(crawls, articles):
    with serving(articles) as site:
        answering(site, {"/robots.txt": Answer(200, "text/plain", b"", zeros=2048 * MEGABYTE)})
        end = crawls.run(site.root)
        assert not site.hits
    assert end.code == 1
    assert "robots.txt: could not be read" in end.err


def test_pages_in_another_charset_than_they_claim_are_read_as_they_are(crawls, articles):
    crawls.configure(queries=())
    claims = {}
    with serving(articles) as site:
        for number, article in enumerate(articles):
            page = site.answer(path_of(article), {})
            # Every page claims what it is not: by its header, and by its own <meta> or none.
            text = page.body.decode("cp949" if article.legacy else "utf-8")
            text = text.replace('charset="euc-kr"', 'charset="x"').replace('charset="utf-8"', 'charset="euc-kr"')
            body = text.encode("utf-8" if number % 2 else "cp949", "xmlcharrefreplace")
            charset = ("euc-kr", "iso-8859-1") if number % 2 else ("utf-8", "no-such-charset")
            claims[path_of(article)] = Answer(200, f"text/html; charset={charset[number // 2 % 2]}", body)
        answering(site, claims)
        end = crawls.run(site.root)
    assert end.code == 0, end.err
    assert stored(crawls.database_url) == {article.id: article.text for article in articles}


def test_a_page_in_no_charset_is_left_out_and_said(crawls, articles):
    crawls.configure(queries=())
    with serving(articles) as site:
        page = site.answer(path_of(articles[30]), {})
        body = page.body.replace("시민".encode(), b"\xff\xfe\xfd\x80" * 30)
        answering(site, {path_of(articles[30]): Answer(200, "text/html; charset=utf-8", body)})
        end = crawls.run(site.root)
    assert "1 unreadable" in end.out
    assert "is not in the charset it names" in end.err
    assert articles[30].id not in stored(crawls.database_url)


def test_a_few_bad_bytes_cost_a_page_no_more_than_themselves(crawls, articles):
    crawls.configure(queries=())
    article = next(a for a in articles if not a.legacy)
    with serving(articles) as site:
        page = site.answer(path_of(article), {})
        answering(site, {path_of(article): replace(page, body=page.body.replace("시민".encode(), b"\xff", 1))})
        end = crawls.run(site.root)
    assert end.code == 0, end.err
    assert "\ufffd" in stored(crawls.database_url)[article.id]


CLOCK = """
import json, os, sys
from datetime import UTC, datetime
from pathlib import Path
from crawler.crawl import Site, crawl
from korbert.chain import Workspace

workspace, root, url, flag = sys.argv[1:]

def clock():
    # Three minutes before and one minute after midnight in Korea.
    return datetime(2026, 3, 1, 15, 1, tzinfo=UTC) if Path(flag).exists() else datetime(2026, 3, 1, 14, 57, tzinfo=UTC)

site = Site("newsroom", "newsroom-test", root, ("id", "secret"))
result = crawl(Workspace(Path(workspace)).load().crawl, site, url, clock=clock)
print(json.dumps({"code": result.code(), "closed": result.tally.api_closed}))
"""


def test_when_the_day_turns_in_korea_the_api_is_asked_again_in_the_same_run(crawls, articles, tmp_path, until):
    # The search comes first, and the lists after it take long enough for the day to turn meanwhile.
    crawls.configure(concurrency=1, daily_calls=5)
    connection = connect(crawls.database_url)
    with transaction(connection) as cursor:
        plan(cursor, [SliceKey(SOURCE, "search", query="경제")])
    flag = tmp_path / "midnight"
    with serving(articles, Faults(search_error="010", seconds=0.1)) as site:
        process = subprocess.Popen(
            [sys.executable, "-c", CLOCK, crawls.workspace, site.root, crawls.database_url, flag],
            cwd=Path(__file__).parents[2], env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until(lambda: site.hits["article"] >= 3)
        assert site.hits["search"] == 1
        # The newsroom's day turns with ours.
        site.faults = replace(site.faults, search_error="")
        flag.touch()
        out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    with transaction(connection) as cursor:
        cursor.execute("SELECT day::text, calls FROM api_budget ORDER BY day")
        budget = cursor.fetchall()
    connection.close()
    assert budget == [("2026-03-01", 1), ("2026-03-02", 2)]
    assert site.hits["search"] == 3
    assert json.loads(out.splitlines()[-1]) == {"code": 0, "closed": ""}
    assert set(slices(crawls.database_url)) == {"done"}


def test_expired_keys_are_said_once_and_never_printed(crawls, articles):
    crawls.environment |= {"NAVER_CLIENT_ID": "expired-id-1", "NAVER_CLIENT_SECRET": "expired-secret-1"}
    with serving(articles, Faults(search_error="024")) as site:
        end = crawls.run(site.root, "--json")
    assert end.code == 1
    assert end.err.count("024") == 1
    assert "expired-" not in end.out + end.err
    assert not [row for row in slices(crawls.database_url, "error") if "expired-" in row]
