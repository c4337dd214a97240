"""Lists read from the newsroom that plays them: every article once, and an end."""

import http.client
import json
from datetime import date
from urllib.parse import urlsplit

import pytest

from crawler.discovery.lists import decoded
from crawler.discovery.protocol import Answer, Scope, UnreadablePage
from crawler.newsroom.articles import printed
from crawler.newsroom.server import serving
from crawler.publishers import SOURCES
from korbert.db.ledger import SliceKey
from korbert.errors import UsageError

NAVER, NEWSROOM = SOURCES["naver_lists"], SOURCES["newsroom"]
DAY = date(2022, 12, 31)
ROOT = "http://h:1"


def get(url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200, url
    return body


def walked(scope):
    """All pages that follow from a source's first slices: (key, found)."""
    waiting, pages = NAVER.first_slices(scope), []
    while waiting:
        key = waiting.pop(0)
        discovery = NAVER.discovery(key.kind)
        call = discovery.call(scope, key, ())
        found = discovery.read(Answer(call.url, get(call.url)), scope, key, NAVER)
        pages.append((key, found))
        waiting += found.following
    return pages


def busy(days, count):
    """Articles in two sections, half of them on each of two days."""
    sections = ("경제", "일반")
    return tuple(
        printed(
            (
                {
                    "id": f"n{i}",
                    "section": sections[i % 2],
                    "text": "본문",
                    "title": f"뷁 {i}",
                    "date": days[i // 2 % 2],
                }
                for i in range(count)
            ),
            "busy",
        )
    )


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (("2019-12-31", "2020-01-01"), "list"),
        (("2023-01-01", "2024-02-29"), "section"),
        (("2022-12-31", "2023-01-01"), "both"),
    ],
)
def test_both_generations_list_every_article_once(days, kind):
    articles = busy(days, 400)
    with serving(articles) as newsroom:
        pages = []
        for day in days:
            at = date.fromisoformat(day)
            pages += walked(Scope("s", at, at, root=newsroom.root, sections=("101", "102")))
    ids = [native for _, found in pages for native in found.articles]
    assert sorted(ids) == sorted(f"{a.office}/{a.id}" for a in articles)
    assert len(ids) == len(set(ids))
    assert sum(found.seen for _, found in pages) == len(articles)
    kinds = {key.kind for key, found in pages if found.articles}
    assert kinds == ({"list", "section"} if kind == "both" else {kind})
    assert max(key.page for key, _ in pages) > 1


def numbered_html(links, paging):
    rows = "".join(f'<li><dl><dt><a href="/article/001/{i}">x</a></dt></dl></li>' for i in links)
    return f'<ul class="type06_headline">{rows}</ul>{paging}'.encode()


def numbered(body, page=1):
    key = SliceKey("s", "list", "101/259", "2020-01-01", page)
    return NAVER.discovery("list").read(Answer(ROOT, body), Scope("s", DAY, DAY), key, NAVER)


def test_a_page_that_was_shown_before_gives_nothing_and_ends_the_list():
    found = numbered(
        numbered_html([1, 2], '<div class="paging"><a href="?page=1">1</a><strong>2</strong></div>'), page=3
    )
    assert (found.articles, found.following) == ({}, ())


def test_the_next_ten_pages_follow_from_the_link_to_them():
    found = numbered(
        numbered_html([1], '<div class="paging"><strong>10</strong><a href="?a=1&amp;page=11">다음</a></div>'), page=10
    )
    assert [key.page for key in found.following] == [11]


def test_a_list_that_does_not_say_its_page_is_unreadable():
    with pytest.raises(UnreadablePage, match="no page number"):
        numbered(numbered_html([1], ""))


def test_a_list_that_never_ends_is_capped():
    found = numbered(
        numbered_html([1], '<div class="paging"><strong>1000</strong><a href="?page=1001">1001</a></div>'), page=1000
    )
    assert (found.capped, found.following) == (True, ())


def by_cursor(html, cursor=""):
    key = SliceKey("s", "section", "101/259", "2024-01-01", 2, cursor)
    body = json.dumps({"renderedComponent": {"SECTION_ARTICLE_LIST_FOR_LATEST": html}}).encode()
    return NAVER.discovery("section").read(Answer(ROOT, body), Scope("s", DAY, DAY), key, NAVER)


ITEM = '<li class="sa_item"><a class="sa_text_title" href="https://n.news.naver.com/mnews/article/001/1">x</a></li>'


def test_the_cursor_that_the_page_was_asked_with_leads_nowhere():
    html = f'<div class="section_latest_article" data-cursor="7">{ITEM}</div>'
    assert by_cursor(html, cursor="7").following == ()
    assert [(key.page, key.cursor) for key in by_cursor(html, cursor="6").following] == [(3, "7")]


def test_the_last_page_says_so_or_names_no_cursor():
    for attributes in ('data-cursor="7" data-has-next="false"', 'data-cursor=""', ""):
        found = by_cursor(f'<div class="section_latest_article" {attributes}>{ITEM}</div>')
        assert list(found.articles) == ["001/1"]
        assert found.following == ()
    assert by_cursor("").articles == {}


def test_a_section_list_in_another_markup_is_unreadable():
    with pytest.raises(UnreadablePage, match="nothing at"):
        by_cursor(ITEM)
    for body in (b"", b"<html>", b"[]", b'{"renderedComponent": {}}', b'{"renderedComponent": null}'):
        key = SliceKey("s", "section", "101/259", "2024-01-01")
        with pytest.raises(UnreadablePage):
            NAVER.discovery("section").read(Answer(ROOT, body), Scope("s", DAY, DAY), key, NAVER)


def test_each_day_belongs_to_one_generation():
    scope = Scope("s", date(2022, 12, 30), date(2023, 1, 2), sections=("104/231",))
    assert [(key.kind, key.month) for key in NAVER.first_slices(scope)] == [
        ("list", "2022-12-30"),
        ("list", "2022-12-31"),
        ("section", "2023-01-01"),
        ("section", "2023-01-02"),
    ]


def test_a_cursor_is_quoted_in_the_address():
    key = SliceKey("s", "section", "105/59b", "2024-01-31", 3, "a&b=c")
    url = NAVER.discovery("section").call(Scope("s", DAY, DAY), key, ()).url
    assert url == (
        "https://news.naver.com/section/template/SECTION_ARTICLE_LIST_FOR_LATEST"
        "?sid=105&sid2=59b&cluid=&pageNo=3&date=20240131&next=a%26b%3Dc"
    )


def test_an_unknown_section_is_refused_with_those_that_there_are():
    with pytest.raises(UsageError, match=r"crawl.sections = '107': s has none of that name; it has: 100/264"):
        NAVER.first_slices(Scope("s", DAY, DAY, sections=("107",)))


def test_a_month_list_that_links_to_no_article_has_no_next_page():
    key, scope = SliceKey("s", "list", month="2020-01"), Scope("s", DAY, DAY, root=ROOT)
    html = '<ul class="type06_headline"></ul><a class="next" rel="next" href="?page=2">다음</a>'
    months = NEWSROOM.discovery("list")
    assert months.read(Answer(ROOT, b"", html), scope, key, NEWSROOM).following == ()
    with pytest.raises(UnreadablePage):
        months.read(Answer(ROOT, b"", " "), scope, key, NEWSROOM)
    assert months.call(scope, key, ()).url == f"{ROOT}/list?month=2020-01&page=1"


def test_a_page_is_read_in_the_charset_that_it_is_in():
    assert decoded("뷁 소식".encode("cp949"), "cp949") == "뷁 소식"
    assert decoded("뷁 소식".encode(), "cp949") == "뷁 소식"
    assert decoded(b"\xff\xff<a>", "cp949").endswith("<a>")
