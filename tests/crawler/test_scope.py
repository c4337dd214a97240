"""What a crawl asks of a source, how fast, and on which hosts."""

from dataclasses import replace
from datetime import date

import pytest

from crawler.crawl import Site, polite, scope_of, source_named
from crawler.discovery.protocol import Call, Scope
from crawler.publishers import SOURCES
from crawler.settings import settings_of
from korbert.config import CrawlConfig
from korbert.errors import UsageError

TODAY = date(2026, 11, 22)
NAVER, NEWSROOM = SOURCES["naver_search"], SOURCES["newsroom"]
CONFIG = CrawlConfig(since="2026-10-15", until="2026-12", delay=0.5, daily_calls=40_000)
OWN, STAND_IN = Site("naver_search", "n", ""), Site("naver_search", "n", "http://127.0.0.1:8000/")


def test_a_sources_own_hosts_are_asked_for_nothing_that_has_not_happened_yet():
    scope = scope_of(CONFIG, NAVER, OWN, TODAY)
    assert (scope.source, scope.root, scope.since, scope.until) == ("n", "", date(2026, 10, 15), TODAY)


def test_a_stand_in_may_print_in_the_future():
    scope = scope_of(CONFIG, NAVER, STAND_IN, TODAY)
    assert (scope.root, scope.until) == ("http://127.0.0.1:8000", date(2026, 12, 31))


def test_a_source_without_hosts_needs_an_address():
    with pytest.raises(UsageError, match="--base-url ''"):
        scope_of(CONFIG, NEWSROOM, Site("newsroom", "n", ""), TODAY)


def test_a_source_is_asked_no_faster_than_it_wants_and_a_stand_in_as_configured():
    own = polite(CONFIG, NAVER, OWN)
    assert (own.delay, own.daily_calls) == (1.0, 25_000)
    assert polite(replace(CONFIG, delay=3.0, daily_calls=10), NAVER, OWN) == replace(CONFIG, delay=3.0, daily_calls=10)
    assert polite(CONFIG, NAVER, STAND_IN) == CONFIG


def test_a_site_that_is_named_by_its_address_is_no_stand_in_unless_it_is_on_this_machine():
    site = SOURCES["site"]
    assert polite(CONFIG, site, Site("site", "n", "https://h.example")).delay == site.politeness.delay
    assert polite(CONFIG, site, Site("site", "n", "http://127.0.0.1:8000")).delay == CONFIG.delay


def test_only_the_sources_hosts_may_be_asked_or_the_stand_in_alone():
    sites = settings_of(CONFIG, "", NAVER.hosts)["SOURCE_SITES"]
    assert ("openapi.naver.com", 443) in sites
    assert ("n.news.naver.com", 80) in sites
    assert {host for host, _ in sites} == set(NAVER.hosts)
    assert settings_of(CONFIG, "http://127.0.0.1:8000", NAVER.hosts)["SOURCE_SITES"] == [("127.0.0.1", 8000)]


def test_an_unknown_source_is_refused_with_those_that_there_are():
    with pytest.raises(UsageError, match="--source 'naver': there is no such source; there are: .*naver_search_hub"):
        source_named("naver")


def test_a_stand_in_takes_the_place_of_every_host():
    scope = Scope("n", TODAY, TODAY, root="http://127.0.0.1:8000")
    assert scope.at("https://openapi.naver.com/v1/x?a=1") == "http://127.0.0.1:8000/v1/x?a=1"
    assert scope.at("/list?page=2") == "http://127.0.0.1:8000/list?page=2"
    assert Scope("n", TODAY, TODAY).at("https://openapi.naver.com/v1/x?a=1") == "https://openapi.naver.com/v1/x?a=1"


def test_a_secret_parameter_is_on_the_wire_only():
    call = Call("https://h.example/x?a=1", secret={"serviceKey": "a+b/c="})
    assert call.wire_url == "https://h.example/x?a=1&serviceKey=a%2Bb%2Fc%3D"
    assert Call("https://h.example/x", secret={"k": "v"}).wire_url == "https://h.example/x?k=v"
    assert "a+b" not in repr(call) + call.url
