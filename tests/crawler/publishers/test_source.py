from datetime import date

import pytest
from parsel.csstranslator import HTMLTranslator

from crawler.publishers import SOURCES
from korbert.db.ledger import KINDS

LAYOUTS = [(source, layout) for source in SOURCES.values() for layout in source.layouts]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h:1/mnews/article/001/0000000042", "0000000042"),
        ("http://h:1/mnews/article/001/news%2Fa%3Fb%25", "news/a?b%"),
        ("http://h:1/main/read.naver?mode=LSD&oid=001&aid=7", "7"),
        ("http://h:1/main/read.naver?aid=news%2F7&oid=001", "news/7"),
        ("http://h:1/mnews/article/1/7", ""),
        ("http://h:1/mnews/article/001/7/comments", ""),
        ("http://h:1/main/read.naver?oid=001", ""),
        ("/mnews/article/001/7", ""),
        ("", ""),
    ],
)
def test_the_newsroom_knows_its_articles_by_their_address(url, expected):
    assert SOURCES["newsroom"].native_id(url) == expected


@pytest.mark.parametrize(("source", "layout"), LAYOUTS, ids=lambda x: x.name)
def test_every_selector_of_every_source_is_valid(source, layout):
    chosen = (layout.title, layout.body, layout.published, layout.press, layout.section, layout.byline, layout.modified)
    for css in (*filter(None, chosen), *layout.drop.values()):
        assert HTMLTranslator().css_to_xpath(css)


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
def test_every_source_says_its_rights_and_how_they_are_known(source):
    rights = source.rights
    assert rights.licence
    assert rights.evidence
    assert rights.robots
    assert rights.checked <= date(2026, 11, 30)
    assert rights.may_collect or not rights.may_train


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
def test_layouts_in_use_are_tried_before_those_that_have_ended(source):
    ended = [layout.until is not None for layout in source.layouts]
    assert ended == sorted(ended)
    assert not all(ended) or not source.layouts


@pytest.mark.parametrize(
    "url",
    [
        "https://n.news.naver.com/mnews/article/001/0000000042",
        "https://n.news.naver.com/article/001/0000000042?sid=101",
        "https://n.news.naver.com/sports/article/001/0000000042",
        "https://news.naver.com/main/read.naver?mode=LS2D&mid=sec&sid1=101&oid=001&aid=0000000042",
        "https://news.naver.com/main/read.nhn?oid=001&sid1=101&aid=0000000042",
        "https://sports.news.naver.com/news?oid=001&aid=0000000042",
        "https://sports.news.naver.com/kbaseball/news/read.nhn?oid=001&aid=0000000042",
        "https://m.sports.naver.com/kbaseball/article/001/0000000042",
        "https://entertain.naver.com/read?oid=001&aid=0000000042",
        "https://m.entertain.naver.com/article/001/0000000042",
    ],
)
def test_an_article_of_naver_has_one_id_whatever_its_address(url):
    assert SOURCES["naver_search"].native_id(url) == "001/0000000042"


@pytest.mark.parametrize(
    "url",
    [
        "https://n.news.naver.com/article/comment/001/0000000042",
        "https://n.news.naver.com/mnews/article/1/42",
        "https://news.naver.com/main/list.naver?oid=001&date=20200101",
        "https://www.example.kr/news/view?oid=1",
    ],
)
def test_what_is_no_article_of_naver_has_no_id(url):
    assert SOURCES["naver_search"].native_id(url) == ""


@pytest.mark.parametrize(
    ("source", "discovery"),
    [(source, discovery) for source in SOURCES.values() for discovery in source.discoveries],
    ids=lambda x: getattr(x, "name", "") or x.kind,
)
def test_every_discovery_has_a_kind_of_the_ledger_once_and_valid_selectors(source, discovery):
    assert discovery.kind in KINDS
    assert source.kinds.count(discovery.kind) == 1
    assert source.discovery(discovery.kind) is discovery
    for name in ("listed", "following", "shown", "others", "holder"):
        if css := getattr(discovery, name, ""):
            assert HTMLTranslator().css_to_xpath(css)
    if discovery.paid:
        assert source.politeness.daily_calls > 0 or not source.hosts
