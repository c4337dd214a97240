"""A dry run says what would be crawled and what the rights are, and touches nothing."""

import json
from dataclasses import replace
from datetime import date

import pytest

from crawler.__main__ import main
from crawler.crawl import Site
from crawler.rehearsal import rehearse
from korbert import recipes
from korbert.errors import UsageError

TODAY = date(2026, 3, 2)
CONFIG = replace(recipes.tiny().crawl, queries=("경제", "시민"), since="2019-11", until="2020-02", delay=0.0)
NEWSROOM = Site("newsroom", "mine", "http://127.0.0.1:1")


def test_it_plans_what_a_crawl_begins_with():
    rehearsal = rehearse(CONFIG, NEWSROOM, TODAY)
    assert {key.source for key in rehearsal.slices} == {"mine"}
    assert [k.month for k in rehearsal.slices if k.kind == "list"] == ["2019-11", "2019-12", "2020-01", "2020-02"]
    assert [k.query for k in rehearsal.slices if k.kind == "search"] == ["경제", "시민"]
    text = rehearsal.text()
    assert "training allowed" in text
    assert "would begin with 6 slices" in text
    assert "list: 4, 2019-11 to 2020-02" in text
    assert "search: 2: 경제, 시민" in text


def test_many_queries_are_counted_and_not_all_named():
    queries = tuple(f"말{number}" for number in range(20))
    assert "말7 and 12 more" in rehearse(replace(CONFIG, queries=queries), NEWSROOM, TODAY).text()


def test_a_source_that_may_not_be_collected_is_refused_with_its_rights():
    with pytest.raises(UsageError, match=r"may not be collected.*robots\.txt"):
        rehearse(CONFIG, Site("naver_lists", "naver_lists", ""), TODAY)


def test_the_sources_own_delay_and_budget_are_shown_for_its_own_hosts():
    config = replace(CONFIG, since="2026-03-01", until="2026-03-31")
    rehearsal = rehearse(config, Site("policy_briefing", "policy_briefing", ""), TODAY)
    assert (rehearsal.delay, rehearsal.daily_calls) == (1.0, 1000)
    assert rehearsal.as_dict()["slices"][-1]["window"] <= TODAY.isoformat()


def test_the_command_needs_neither_site_nor_database_nor_keys(crawls, monkeypatch, capsys):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    arguments = [
        "crawl",
        "--workspace",
        str(crawls.workspace),
        "--base-url",
        "http://127.0.0.1:1",
        "--dry-run",
        "--json",
    ]
    assert main([*arguments, "--since", "2020-01", "--until", "2020-01-31"]) == 0
    out = capsys.readouterr().out.splitlines()
    value = json.loads(out[-1])
    assert out[0].startswith("source newsroom: may be collected")
    assert [s["window"] for s in value["slices"] if s["kind"] == "list"] == ["2020-01"]
    assert (value["dry_run"], value["may_train"]) == (True, True)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--since", "2020-13"], "crawl.since"),
        (["--until", "yesterday"], "crawl.until"),
        (["--since", "2020-02", "--until", "2020-01"], "must not be after"),
    ],
)
def test_a_wrong_range_is_refused(crawls, capsys, arguments, complaint):
    given = ["crawl", "--workspace", str(crawls.workspace), "--base-url", "http://127.0.0.1:1", "--dry-run"]
    assert main([*given, *arguments]) == 2
    assert complaint in capsys.readouterr().err
