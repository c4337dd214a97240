import json

import pytest

from crawler.discover import (
    UnreadablePage,
    address,
    first_slices,
    months,
    read_list,
    read_search,
    refusal,
)
from crawler.publishers.newsroom import NEWSROOM
from korbert.config import CrawlConfig
from korbert.db.ledger import SliceKey

KEY = SliceKey("s", "search", query="경제 성장")
ROOT = "http://h:1"


def answer(total, links):
    return json.dumps({"total": total, "items": [{"link": link} for link in links]}).encode()


def link(i):
    return f"{ROOT}/mnews/article/001/{i}"


def starts(total, page_size):
    """First rows of all pages of a search with so many results."""
    found = read_search(answer(total, [link(1)]), NEWSROOM, KEY, page_size)
    keys = [KEY, *found.following]
    return [int(address(ROOT, NEWSROOM, key, page_size).split("start=")[1].split("&")[0]) for key in keys]


def test_months_are_counted_over_the_turn_of_the_year():
    assert months("2019-11", "2020-02") == ["2019-11", "2019-12", "2020-01", "2020-02"]
    assert months("2020-02", "2020-02") == ["2020-02"]


def test_the_first_slices_are_page_one_of_each_month_and_query():
    keys = first_slices("s", CrawlConfig(queries=("가", " ", "나"), since="2020-01", until="2020-02"))
    assert [(key.kind, key.month or key.query, key.page) for key in keys] == [
        ("list", "2020-01", 1),
        ("list", "2020-02", 1),
        ("search", "가", 1),
        ("search", "나", 1),
    ]


def test_addresses_are_percent_encoded():
    url = address(ROOT, NEWSROOM, KEY, 100)
    assert (
        url == f"{ROOT}/v1/search/news.json?query=%EA%B2%BD%EC%A0%9C+%EC%84%B1%EC%9E%A5&display=100&start=1&sort=date"
    )
    assert (
        address(ROOT, NEWSROOM, SliceKey("s", "list", month="2020-01", page=3), 100)
        == f"{ROOT}/list?month=2020-01&page=3"
    )


@pytest.mark.parametrize(
    ("total", "page_size", "expected"),
    [
        (1, 100, [1]),
        (100, 100, [1]),
        (101, 100, [1, 101]),
        (1000, 100, list(range(1, 1000, 100))),
        (1099, 100, [*range(1, 1000, 100), 1000]),
        (50_000, 100, [*range(1, 1000, 100), 1000]),
        (50_000, 1, list(range(1, 1001))),
    ],
)
def test_search_pages_reach_every_row_that_the_api_gives_and_no_further(total, page_size, expected):
    assert starts(total, page_size) == expected


@pytest.mark.parametrize("page_size", [1, 7, 30, 99, 100])
def test_no_start_passes_1000_and_no_row_within_reach_is_left_out(page_size):
    firsts = starts(10**6, page_size)
    assert max(firsts) == 1000
    rows = {row for first in firsts for row in range(first, first + page_size)}
    assert rows == set(range(1, 1000 + page_size))


def test_only_the_last_page_of_a_search_beyond_reach_is_capped():
    last = SliceKey("s", "search", query="경제", page=11)
    assert read_search(answer(1100, [link(1)]), NEWSROOM, last, 100).capped
    assert not read_search(answer(1099, [link(1)]), NEWSROOM, last, 100).capped
    assert not read_search(answer(5000, [link(1)]), NEWSROOM, KEY, 100).capped


def test_an_empty_search_page_ends_the_search():
    found = read_search(answer(500, []), NEWSROOM, KEY, 100)
    assert (found.articles, found.following, found.seen) == ({}, (), 0)


def test_links_to_other_addresses_are_seen_but_not_followed():
    links = [link("a%2Fb"), "https://x.example/news/1", "javascript:alert(1)", "ftp://h/mnews/article/001/2", link("c")]
    found = read_search(answer(5, links), NEWSROOM, KEY, 100)
    assert found.articles == {"a/b": link("a%2Fb"), "c": link("c")}
    assert found.seen == 5


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"total": "x", "items": []}', b'{"total": 1, "items": [1]}', b"\xff"]
)
def test_an_answer_that_is_none_is_unreadable(body):
    with pytest.raises(UnreadablePage):
        read_search(body, NEWSROOM, KEY, 100)


def test_error_answers_are_read_flat_nested_and_not_at_all():
    assert refusal(429, b'{"errorMessage": "m", "errorCode": "010"}').quota_spent
    assert refusal(429, b'{"error": {"errorMessage": "m", "errorCode": "012"}}').code == "012"
    assert refusal(400, b'{"errorCode": "SE01"}').permanent
    for body in (b"<html>", b"[]", b"", b"\xff", b'{"error": 1}'):
        broken = refusal(502, body)
        assert (broken.code, broken.permanent, broken.quota_spent) == ("", False, False)


def test_a_list_page_that_links_to_no_article_has_no_next_page():
    key = SliceKey("s", "list", month="2020-01")
    html = '<ul class="type06_headline"></ul><a class="next" rel="next" href="?page=2">다음</a>'
    assert read_list(html, ROOT, NEWSROOM, key).following == ()
    with pytest.raises(UnreadablePage):
        read_list(" ", ROOT, NEWSROOM, key)
