"""Crawls of sources that need a permission, played by the newsroom: refused, permitted, complete."""

import json
from datetime import date

import pytest

from crawler.newsroom.articles import printed
from crawler.newsroom.server import serving
from korbert.db.articles import summary
from korbert.db.connection import connect, transaction
from korbert.db.ledger import reopen

PERMISSION = """[[permission]]
source = "{source}"
granted_by = "the newsroom's operator"
date = 2026-01-01
reference = "a test of our own"
covers = {covers}
"""


@pytest.fixture
def permission(tmp_path):
    """Writes the operator's record and answers its path."""

    def write(source, covers):
        path = tmp_path / "permissions.toml"
        path.write_text(PERMISSION.format(source=source, covers=json.dumps(covers)))
        return str(path)

    return write


def rows(url, statement):
    connection = connect(url)
    try:
        with transaction(connection) as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


def digest(url, source):
    connection = connect(url)
    try:
        return summary(connection, source).digest
    finally:
        connection.close()


def days(dates, count):
    """Articles of one section, over the given days."""
    return tuple(
        printed(
            (
                {
                    "id": f"{i:010d}",
                    "section": "경제",
                    "press": "한빛일보",
                    "date": dates[i % len(dates)],
                    "title": f"{i}번째 소식, 값이 뷁 올랐다",
                    "text": f"{i}번째 시민의 소식.\n끝.",
                }
                for i in range(count)
            ),
            "days",
        )
    )


def test_a_source_without_the_right_is_refused_before_anything_is_asked(crawls, articles):
    with serving(articles) as site:
        end = crawls.run(site.root, "--source", "naver_lists")
        assert not site.hits
    assert end.code == 2
    assert "source 'naver_lists': may not be collected" in end.err
    assert end.err.count("\n") == 1
    assert rows(crawls.database_url, "SELECT count(*) FROM slice") == [(0,)]


def test_lists_of_both_generations_are_crawled_whole_with_the_permission_as_evidence(crawls, permission):
    printed_days = days(("2022-12-30", "2022-12-31", "2023-01-01"), 400)
    recorded = permission("naver_lists", ["collect"])
    crawls.configure(since="2022-12-30", until="2023-01-01", sections=("101",), permissions=recorded)
    with serving(printed_days) as site:
        end = crawls.run(site.root, "--source", "naver_lists")
        assert set(site.asked.values()) == {1}
    assert end.code == 0, end.err
    assert "its articles are collected and not trained on" in end.err
    found = rows(crawls.database_url, "SELECT native_id, may_train, evidence FROM article")
    assert {row[0] for row in found} == {f"{a.office}/{a.id}" for a in printed_days}
    assert len(found) == len(printed_days)
    assert not any(row[1] for row in found)
    assert all(
        "permission of the newsroom's operator of 2026-01-01 to collect: a test of our own" in r[2] for r in found
    )
    kinds = rows(crawls.database_url, "SELECT kind, bool_and(state = 'done'), max(page) > 1 FROM slice GROUP BY kind")
    assert sorted(kinds) == [("list", True, True), ("section", True, True)]


def test_a_recorded_permission_to_train_lets_the_articles_into_the_corpus(crawls, permission, articles):
    crawls.configure(queries=("경제",), permissions=permission("naver_search", ["collect", "train"]))
    with serving(articles) as site:
        assert crawls.run(site.root, "--source", "naver_search").code == 0
    assert rows(crawls.database_url, "SELECT count(*), bool_and(may_train) FROM article") == [(16, True)]


def test_api_hub_finds_what_the_older_api_finds(crawls, permission, articles):
    for source in ("naver_search", "naver_search_hub"):
        crawls.configure(queries=("경제", "시민"), permissions=permission(source, ["collect"]))
        with serving(articles) as site:
            end = crawls.run(site.root, "--source", source, "--source-name", source)
        assert end.code == 0, end.err
    assert digest(crawls.database_url, "naver_search") == digest(crawls.database_url, "naver_search_hub")
    assert rows(crawls.database_url, "SELECT source, count(*) FROM article GROUP BY source ORDER BY source") == [
        ("naver_search", 48),
        ("naver_search_hub", 48),
    ]


def test_a_search_beyond_reach_is_split_reaches_further_and_stays_capped(crawls, permission):
    """1,300 articles hold 시민; one of three terms is in each of all but 100 of them."""
    words = ("하늘", "바다", "구름", "")
    many = tuple(
        printed(
            (
                {"id": f"{i:010d}", "title": "소식", "text": f"시민 {words[i % 4 if i >= 400 else i % 3]} {i}.",
                 "date": "2020-02-01"}
                for i in range(1300)
            ),
            "many",
        )
    )  # fmt: skip
    crawls.configure(
        queries=("시민",),
        narrow=("하늘", "바다", "구름"),
        page_size=100,
        permissions=permission("naver_search", ["collect"]),
    )
    with serving(many) as site:
        end = crawls.run(site.root, "--source", "naver_search")
    assert end.code == 0, end.err
    capped = rows(crawls.database_url, "SELECT query, page, split_into FROM slice WHERE state = 'capped'")
    assert capped == [("시민", 11, ["시민 하늘", "시민 바다", "시민 구름"])]
    states = rows(crawls.database_url, "SELECT DISTINCT query FROM slice WHERE state = 'done' ORDER BY query")
    assert [row[0] for row in states] == ["시민", "시민 구름", "시민 바다", "시민 하늘"]
    stored = {row[0].split("/")[1] for row in rows(crawls.database_url, "SELECT native_id FROM article")}
    reachable = {a.id for a in many if any(word in a.text for word in words if word)}
    assert reachable <= stored
    assert len(stored) > 1099


def test_articles_that_an_api_holds_are_stored_without_a_page_fetched_and_opened_again(crawls):
    record = {"press": "한빛부", "title": "발표", "text": "첫 글.\n끝."}
    numbered = ({"id": f"{156000000 + i}", "date": f"2024-03-0{1 + i % 9}", **record} for i in range(40))
    releases = tuple(printed(numbered, "releases"))
    crawls.configure(since="2024-03", until="2024-03")
    with serving(releases[:30]) as site:
        end = crawls.run(site.root, "--source", "policy_briefing")
        assert end.code == 0, end.err
        assert not site.asked
    found = rows(crawls.database_url, "SELECT native_id, press FROM article ORDER BY native_id")
    assert found == [(a.id, "한빛부") for a in releases[:30]]
    windows = rows(
        crawls.database_url, "SELECT month, state, seen FROM slice WHERE kind = 'api' ORDER BY month LIMIT 3"
    )
    assert [row[:2] for row in windows] == [("2024-02-29", "done"), ("2024-03-03", "done"), ("2024-03-06", "done")]
    assert [row[2] for row in windows] == [8, 10, 9]
    connection = connect(crawls.database_url)
    with transaction(connection) as cursor:
        assert reopen(cursor, "newsroom-test", date(2024, 3, 5)) == 10
    connection.close()
    with serving(releases) as site:
        assert crawls.run(site.root, "--source", "policy_briefing").code == 0
    assert rows(crawls.database_url, "SELECT count(*) FROM article WHERE source = 'newsroom-test'") == [(38,)]


def test_a_sources_own_hosts_are_not_asked_without_its_credentials(crawls):
    crawls.environment = {"NAVER_CLIENT_ID": "x", "NAVER_CLIENT_SECRET": ""}
    end = crawls.run("", "--source", "naver_search")
    assert end.code == 2
    assert "NAVER_CLIENT_SECRET: missing in the environment; naver_search cannot be asked without" in end.err
