import json

import pytest
from parsel import Selector

from crawler.extract import metadata


def read(head: str) -> metadata.Metadata:
    return metadata.read(Selector(text=f"<html><head>{head}</head><body></body></html>", type="html").root)


def ld(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f'<script type="application/ld+json">{text}</script>'


ARTICLE = {
    "@type": "NewsArticle",
    "headline": "제목",
    "datePublished": "2024-03-01T10:00:00+09:00",
    "dateModified": "2024-03-02",
    "author": [{"@type": "Person", "name": "김하늘"}, {"name": "박바다"}],
    "publisher": {"name": "한빛일보"},
    "articleSection": ["사회", "생활"],
    "articleBody": "본문",
}


@pytest.mark.parametrize(
    "value",
    [
        ARTICLE,
        [{"@type": "WebSite"}, ARTICLE],
        {"@graph": [{"@type": "Organization", "name": "x"}, {**ARTICLE, "@type": ["Article", "NewsArticle"]}]},
        json.dumps(ARTICLE, ensure_ascii=False).replace("본문", "본\n문").replace("본\n문", "본문") + ";",
    ],
)
def test_the_article_of_json_ld_is_found_however_it_is_wrapped(value: object) -> None:
    said = read(ld(value))
    assert (said.title, said.press, said.section, said.byline) == ("제목", "한빛일보", "사회", "김하늘, 박바다")
    assert said.published is not None
    assert said.published.isoformat() == "2024-03-01T10:00:00+09:00"
    assert said.modified is not None
    assert said.modified.isoformat() == "2024-03-02T00:00:00+09:00"
    assert said.body == "본문"


OPEN_GRAPH = (
    '<meta property="og:title" content=" 다른  제목 "><meta property="og:site_name" content="누리">'
    '<meta property="article:published_time" content="bad"><meta name="pubdate" content="2023-01-02 03:04:05">'
    '<meta property="article:section" content="경제"><meta name="author" content="이나무 기자">'
)


@pytest.mark.parametrize(
    "broken",
    ["", ld("{"), ld('{"@type": "Person"}'), ld("[" * 5000), ld("null"), ld({**ARTICLE, "@type": "VideoObject"})],
)
def test_open_graph_says_what_json_ld_does_not(broken: str) -> None:
    said = read(broken + OPEN_GRAPH)
    assert (said.title, said.press, said.section, said.byline) == ("다른 제목", "누리", "경제", "이나무 기자")
    assert said.published is not None
    assert said.published.isoformat() == "2023-01-02T03:04:05+09:00"
    assert said.modified is None


def test_values_of_the_wrong_type_say_nothing() -> None:
    said = read(ld({"@type": "Article", "headline": 7, "datePublished": {}, "author": [None, 3], "publisher": "x"}))
    assert (said.title, said.published, said.byline, said.press) == ("", None, "", "x")


def test_a_page_without_metadata_says_nothing() -> None:
    assert read("") == metadata.Metadata("", "", "", "", None, None, "")
