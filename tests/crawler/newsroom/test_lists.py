"""The lists of both generations, as a reader of them meets them."""

import json

import pytest
from parsel import Selector

from crawler.newsroom.articles import printed
from crawler.newsroom.lists import SECTIONS, Lists, section_of


def day(count, section="경제"):
    return tuple(
        printed(
            (
                {"id": i, "section": section, "text": "본문", "title": f"똠방각하 {i} <새벽> 햏", "date": "2021-05-05"}
                for i in range(count)
            ),
            "day",
        )
    )


@pytest.fixture(scope="module")
def one_section():
    """61 articles of one subsection and day."""
    return tuple(a for a in day(250) if section_of(a) == ("101", "259"))[:61]


def numbered(lists, page, **fields):
    query = {"sid1": "101", "sid2": "259", "date": "20210505", "page": str(page), **fields}
    page = Selector(text=lists.numbered(query).decode("cp949"), type="html")
    return page.css("dl dt:last-of-type a::attr(href)").getall(), page.css("div.paging strong::text").get()


def by_cursor(lists, **fields):
    query = {"sid": "101", "sid2": "259", "date": "20210505", **fields}
    html = json.loads(lists.by_cursor(query))["renderedComponent"]["SECTION_ARTICLE_LIST_FOR_LATEST"]
    page = Selector(text=html or "<p></p>", type="html")
    holder = page.css("[data-cursor]")
    return page.css("a.sa_text_title::attr(href)").getall(), holder.attrib.get("data-cursor")


def test_every_article_has_one_section_that_is_listed():
    for section in ("정치", "경제", "사회", "문화", "세계", "IT/과학", "일반", ""):
        sid1, sid2 = section_of(day(1, section)[0])
        assert sid2 in SECTIONS[sid1]


def test_a_page_past_the_end_shows_the_last_page_again(one_section):
    lists = Lists(one_section)
    links = [numbered(lists, page) for page in (1, 2, 3, 4, 5)]
    assert [len(page) for page, _ in links] == [20, 20, 20, 1, 1]
    assert links[3] == links[4]
    assert [shown for _, shown in links] == ["1", "2", "3", "4", "4"]


def test_syllables_outside_euc_kr_are_in_its_superset_and_others_become_references():
    lists = Lists([a for a in day(50) if section_of(a) == ("101", "259")])
    body = lists.numbered({"sid1": "101", "sid2": "259", "date": "20210505"})
    assert "똠방각하" in body.decode("cp949")
    assert "햏" in body.decode("cp949")
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")


def test_without_the_cursor_the_first_page_comes_again_whatever_its_number(one_section):
    lists = Lists(one_section)
    first, cursor = by_cursor(lists)
    assert by_cursor(lists, pageNo="2") == (first, cursor)
    second, _ = by_cursor(lists, pageNo="1", next=cursor)
    assert (len(first), len(second)) == (36, 25)
    assert not set(first) & set(second)


def test_a_section_or_day_without_articles_is_an_empty_answer(one_section):
    lists = Lists(one_section)
    assert numbered(lists, 1, date="20210506") == ([], None)
    assert by_cursor(lists, sid2="258") == ([], None)
