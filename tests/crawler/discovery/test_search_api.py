"""Pages of Naver's search API: which are asked for, what they say, when they are beyond reach."""

import json
from datetime import date

import pytest

from crawler.discovery.protocol import Answer, Scope, UnreadablePage
from crawler.discovery.search_api import SearchApi, narrowed
from crawler.publishers import SOURCES
from korbert.db.ledger import SliceKey

NEWSROOM = SOURCES["newsroom"]
API = SearchApi("https://api.example/v1/search/news.json", ("X-Id", "X-Secret"))
KEY = SliceKey("s", "search", query="경제 성장")
ROOT = "http://h:1"
KEYS = ("id", "secret")


def scope(page_size=100, **fields):
    return Scope("s", date(2020, 1, 1), date(2020, 2, 29), root=ROOT, page_size=page_size, **fields)


def answer(total, links):
    return json.dumps({"total": total, "items": [{"link": link} for link in links]}).encode()


def read(body, key=KEY, **fields):
    return API.read(Answer(ROOT, body), scope(**fields), key, NEWSROOM)


def link(i):
    return f"{ROOT}/mnews/article/001/{i}"


def starts(total, page_size):
    """First rows of all pages of a search with so many results."""
    keys = [KEY, *read(answer(total, [link(1)]), page_size=page_size).following]
    calls = [API.call(scope(page_size), key, KEYS) for key in keys]
    return [int(call.url.split("start=")[1].split("&")[0]) for call in calls]


def test_the_first_slices_are_page_one_of_each_query_that_says_something():
    keys = API.first_slices(scope(queries=("가", " ", "나")))
    assert [(key.kind, key.query, key.month, key.page) for key in keys] == [
        ("search", "가", "", 1),
        ("search", "나", "", 1),
    ]


def test_a_call_is_percent_encoded_and_keeps_its_keys_out_of_the_address():
    call = API.call(scope(), KEY, KEYS)
    query = "query=%EA%B2%BD%EC%A0%9C+%EC%84%B1%EC%9E%A5&display=100&start=1&sort=date"
    assert call.url == call.wire_url == f"{ROOT}/v1/search/news.json?{query}"
    assert dict(call.headers) == {"X-Id": "id", "X-Secret": "secret"}
    assert "secret" not in repr(call)


def test_without_a_stand_in_the_sources_own_host_is_asked():
    own = Scope("s", date(2020, 1, 1), date(2020, 1, 1))
    assert API.call(own, KEY, KEYS).url.startswith("https://api.example/v1/search/news.json?query=")


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
    assert read(answer(1100, [link(1)]), last).capped
    assert not read(answer(1099, [link(1)]), last).capped
    assert not read(answer(5000, [link(1)])).capped


def test_an_empty_search_page_ends_the_search():
    found = read(answer(500, []))
    assert (found.articles, found.following, found.seen) == ({}, (), 0)


def test_links_to_other_addresses_are_seen_but_not_followed():
    links = [link("a%2Fb"), "https://x.example/news/1", "javascript:alert(1)", "ftp://h/mnews/article/001/2", link("c")]
    found = read(answer(5, links))
    assert found.articles == {"a/b": link("a%2Fb"), "c": link("c")}
    assert found.seen == 5


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"total": "x", "items": []}', b'{"total": 1, "items": [1]}', b"\xff"]
)
def test_an_answer_that_is_none_is_unreadable(body):
    with pytest.raises(UnreadablePage):
        read(body)


@pytest.mark.parametrize(
    ("status", "body", "code", "verdict"),
    [
        (429, b'{"errorMessage": "m", "errorCode": "010"}', "010", "day"),
        (429, b'{"error": {"errorMessage": "m", "errorCode": "012"}}', "012", "again"),
        (401, b'{"errorCode": "024"}', "024", "key"),
        (403, b"<html>", "", "key"),
        (400, b'{"errorCode": "SE01"}', "SE01", "never"),
        (404, b'{"error": {"errorCode": "SE05"}}', "SE05", "never"),
        (500, b'{"errorCode": "SE99"}', "SE99", "again"),
        (502, b"[]", "", "again"),
        (502, b"", "", "again"),
        (502, b"\xff", "", "again"),
        (502, b'{"error": 1}', "", "again"),
    ],
)
def test_error_answers_are_read_flat_nested_and_not_at_all(status, body, code, verdict):
    refused = API.refusal(status, body)
    assert (refused.code, refused.verdict) == (code, verdict)


def test_a_search_beyond_reach_is_narrowed_by_each_term_and_stays_capped():
    last = SliceKey("s", "search", query="경제", page=11)
    found = read(answer(5000, [link(1)]), last, narrow=("금리", "주식", "경제", " "))
    assert found.capped
    assert [(key.query, key.page) for key in found.narrower] == [("금리 경제", 1), ("주식 경제", 1)]
    assert read(answer(1099, [link(1)]), last, narrow=("금리",)).narrower == ()


def test_the_same_words_in_another_order_are_one_query():
    terms, asked, waiting = ("가", "나", "다", "라"), {}, [SliceKey("s", "search", query="경제")]
    while waiting:
        key = waiting.pop()
        asked.setdefault(frozenset(key.query.split()), set()).add(key.query)
        waiting += narrowed(key, terms)
    assert all(len(queries) == 1 for queries in asked.values())
    # All subsets of at most three of the four terms, beside the query's own word.
    assert len(asked) == 1 + 4 + 6 + 4
