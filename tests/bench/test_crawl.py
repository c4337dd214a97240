"""The crawl's benchmark fetches the same pages both ways and counts only whole crawls. No speed is asserted."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.newsroom.articles import load
from korbert import bench, recipes
from korbert.bench import crawl
from korbert.bench.scratch import scratch
from korbert.errors import WorldError


def test_generated_articles_are_many_different_real_looking_pages(tmp_path: Path) -> None:
    crawl.write_articles(tmp_path / "a.jsonl", 40)
    crawl.write_articles(tmp_path / "again.jsonl", 40)
    articles = load(tmp_path / "a.jsonl")
    assert len({article.text for article in articles}) == 40
    assert {article.legacy for article in articles} == {True, False}
    assert 700 < sum(len(article.text) for article in articles) / 40 < 1300
    assert load(tmp_path / "again.jsonl") == articles


def test_bench_crawl_crawls_and_fetches_the_same_articles_and_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl, "CONCURRENCY", 8)
    measured = crawl.measure(recipes.tiny(), 1, 40)
    values = json.loads(measured.json())
    assert (values["name"], values["peer_name"], values["articles"]) == ("crawl", "raw fetching", 40)
    assert values["ratio"] > 0
    assert values["two_processes"] > 0
    assert "two_processes_gain" in measured.text()


def test_a_crawl_that_brings_less_is_no_measurement(tmp_path: Path) -> None:
    config = recipes.tiny()
    file = tmp_path / "a.jsonl"
    crawl.write_articles(file, 10)
    crawl.Workspace(tmp_path / "workspace").save(
        replace(config, crawl=replace(config.crawl, queries=(), delay=0.0, since="2018-01", until="2018-02"))
    )
    with (
        scratch() as (_, url),
        crawl._newsroom(file) as root,
        pytest.raises(WorldError, match="of 10 articles were stored"),
    ):
        crawl._crawl(tmp_path / "workspace", root, url, "bench", 10, 1)


def test_a_process_that_fails_is_quoted(tmp_path: Path) -> None:
    process = crawl._start(["-c", "import sys; sys.exit('no such thing')"])
    with pytest.raises(WorldError, match="exit code 1: no such thing"):
        crawl._ended(process)


def test_the_benchmarks_are_known_by_name() -> None:
    assert set(bench.PEERS) == {"pretrain", "crawl", "ingest", "encode", "corpus", "loader", "sweep", "finetune"}
