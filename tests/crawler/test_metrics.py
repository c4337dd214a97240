"""The run's numbers as Prometheus and programs read them, over real HTTP and from real crawls."""

import json
import re
import socket
import urllib.request

import pytest

from crawler.items import Tally
from crawler.logs import Redactor
from crawler.metrics import served, summary
from crawler.newsroom.server import Faults, serving
from korbert.errors import WorldError


def read(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def sample(text, name):
    (line,) = [line for line in text.splitlines() if line.startswith(name + " ")]
    return float(line.rpartition(" ")[2])


def test_the_tally_is_what_prometheus_reads_at_every_scrape():
    tally = Tally()
    with served(0, "news", tally) as url:
        assert sample(read(url), 'korbert_crawl_articles_total{found="new",source="news"}') == 0
        tally.new, tally.received, tally.calls_left = 3, 4096, 17
        tally.requests["429"] += 2
        tally.slices["lost"] += 1
        tally.ledger = {"pending": 5, "failed": 1}
        tally.skipped |= {"a": "missing", "b": "missing"}
        with tally.timed("parse"):
            pass
        text = read(url)
    for name, value in {
        'korbert_crawl_articles_total{found="new",source="news"}': 3,
        'korbert_crawl_received_bytes_total{source="news"}': 4096,
        'korbert_crawl_requests_total{source="news",status="429"}': 2,
        'korbert_crawl_lost_leases_total{source="news"}': 1,
        'korbert_crawl_slices{source="news",state="pending"}': 5,
        'korbert_crawl_skipped_total{reason="missing",source="news"}': 2,
        'korbert_crawl_api_calls_left{source="news"}': 17,
    }.items():
        assert sample(text, name) == value
    assert sample(text, 'korbert_crawl_stage_seconds_total{source="news",stage="parse"}') > 0


def test_the_calls_left_are_not_shown_before_they_are_known():
    with served(0, "news", Tally()) as url:
        assert "api_calls_left" not in read(url)


def test_a_taken_port_is_one_error_of_the_world():
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        with pytest.raises(WorldError, match="^--metrics-port"), served(taken.getsockname()[1], "news", Tally()):
            pass


def test_the_port_is_free_again_after_the_crawl():
    with served(0, "news", Tally()) as url:
        port = int(re.search(r":(\d+)/", url)[1])
    with served(port, "news", Tally()):
        pass


def test_the_summary_holds_no_secret():
    tally = Tally(api_closed="search API: 401 024 http://h/?serviceKey=sesame")
    text = json.dumps(summary(tally, {}, 1, 2.0, Redactor()))
    assert "sesame" not in text
    assert json.loads(text)["api_closed"].endswith("serviceKey=***")


def test_a_crawl_answers_prometheus_while_it_runs(crawls, articles, until):
    crawls.configure(concurrency=2)
    with serving(articles, Faults(seconds=0.1)) as site:
        process = crawls.start(site.root, "--metrics-port", "0")
        url = process.stderr.readline().split()[-1]
        until(lambda: site.hits["article"] >= 12)
        text = read(url)
        assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0
    assert 10 <= sample(text, 'korbert_crawl_requests_total{source="newsroom-test",status="200"}') < 54
    assert sample(text, 'korbert_crawl_api_calls_left{source="newsroom-test"}') > 24_000


def test_the_json_summary_counts_what_the_site_saw(crawls, articles):
    crawls.configure(retries=3)
    with serving(articles, Faults(error_every=9, missing=frozenset({articles[0].id}))) as site:
        end = crawls.run(site.root, "--json")
        hits = site.hits
    assert end.code == 0, end.err
    line, value = end.out.splitlines()[0], json.loads(end.out.splitlines()[-1])
    assert line.startswith("crawl: 47 new articles")
    counts = value["articles"]
    assert (counts["fetched"], counts["new"], counts["changed"]) == (47, 47, 0)
    assert (value["skipped"], value["exit_code"]) == ({"missing": 1}, 0)
    assert sum(value["requests"].values()) == hits.total()
    assert value["requests"]["500"] >= 4
    assert value["slices"]["done"] == sum(value["slices"].values()) == value["outcomes"]["done"]
    assert {"fetch", "parse", "store"} <= value["stage_seconds"].keys()
    assert all(seconds > 0 for seconds in value["stage_seconds"].values())
    assert value["received_bytes"] > 47 * 1000
    assert value["api_calls_left"] == 25_000 - hits["search"]
