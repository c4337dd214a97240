import pytest
from parsel.csstranslator import HTMLTranslator

from crawler.publishers.newsroom import SOURCES

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
    for css in (*filter(None, chosen), *layout.drop.values(), source.listed, source.following):
        assert HTMLTranslator().css_to_xpath(css)


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
def test_every_source_says_its_rights_and_how_they_are_known(source):
    rights = source.rights
    assert rights.licence
    assert rights.evidence
    assert rights.robots


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
def test_only_the_newest_layout_has_no_end(source):
    assert [layout.until is None for layout in source.layouts].count(True) == 1
