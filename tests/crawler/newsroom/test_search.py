"""The contract of Naver's news search API, asked over HTTP."""

import http.client
import json
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from urllib.parse import quote, urlsplit

import pytest

from crawler.newsroom.articles import KST, printed
from crawler.newsroom.search import ApiError, Quota
from crawler.newsroom.server import Faults, serving

KEYS = {"X-Naver-Client-Id": "id", "X-Naver-Client-Secret": "secret"}
MANY = tuple(printed(({"id": i, "text": f"경제 소식 {i} <b>&\"'", "title": f"시민 {i}"} for i in range(1200)), "many"))


@pytest.fixture(scope="module")
def site():
    with serving(MANY) as newsroom:
        yield newsroom


def ask(root, query, headers=KEYS, path="/v1/search/news.json"):
    connection = http.client.HTTPConnection(urlsplit(root).netloc, timeout=10)
    connection.request("GET", f"{path}?{query}", headers=headers)
    response = connection.getresponse()
    value = json.loads(response.read())
    connection.close()
    return response.status, value


def parameters(**fields):
    return "&".join(f"{name}={quote(str(value))}" for name, value in fields.items())


def test_the_answer_has_the_documented_fields(site):
    status, value = ask(site.root, parameters(query="경제"))
    assert status == 200
    assert list(value) == ["lastBuildDate", "total", "start", "display", "items"]
    assert (value["total"], value["start"], value["display"], len(value["items"])) == (1200, 1, 10, 10)
    assert list(value["items"][0]) == ["title", "originallink", "link", "description", "pubDate"]
    for date in (value["lastBuildDate"], value["items"][0]["pubDate"]):
        assert date.endswith("+0900")
        assert parsedate_to_datetime(date).utcoffset() == timedelta(hours=9)


def test_titles_and_descriptions_hold_bold_marks_and_entities(site):
    _, value = ask(site.root, parameters(query="시민 경제"))
    item = value["items"][0]
    assert item["title"].startswith("<b>시민</b> ")
    assert "<b>경제</b> 소식" in item["description"]
    assert "&lt;b&gt;&amp;&quot;" in item["description"]
    assert unescape(item["description"].replace("<b>", "").replace("</b>", "")).endswith("<b>&\"'")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "SE01"),
        ({"query": " "}, "SE01"),
        ({"query": "a", "display": 0}, "SE02"),
        ({"query": "a", "display": 101}, "SE02"),
        ({"query": "a", "display": "ten"}, "SE02"),
        ({"query": "a", "start": 0}, "SE03"),
        ({"query": "a", "start": 1001}, "SE03"),
        ({"query": "a", "start": -1}, "SE03"),
        ({"query": "a", "sort": "title"}, "SE04"),
    ],
)
def test_a_parameter_that_breaks_its_rule_is_refused_with_its_code(site, fields, code):
    status, value = ask(site.root, parameters(**fields))
    assert (status, value["errorCode"]) == (400, code)
    assert list(value) == ["errorMessage", "errorCode"]


def test_a_query_that_is_not_utf8_is_refused(site):
    assert ask(site.root, "query=%B0%E6%C1%A6")[1]["errorCode"] == "SE06"


@pytest.mark.parametrize("missing", list(KEYS))
def test_a_missing_key_is_refused_before_anything_else(site, missing):
    headers = {name: value for name, value in KEYS.items() if name != missing}
    assert ask(site.root, "display=0", headers)[0] == 401
    assert ask(site.root, "display=0", headers)[1]["errorCode"] == "024"


def test_header_names_may_be_in_lower_case(site):
    assert ask(site.root, parameters(query="경제"), {name.lower(): value for name, value in KEYS.items()})[0] == 200


def test_another_api_does_not_exist(site):
    status, value = ask(site.root, "query=a", path="/v1/search/encyc.json")
    assert (status, value["errorCode"]) == (404, "SE05")


def test_at_most_1099_rows_can_be_reached_and_no_row_comes_twice(site):
    rows = []
    for start in (*range(1, 1001, 100), 1000):
        rows += ask(site.root, parameters(query="경제", display=100, start=start, sort="date"))[1]["items"]
    assert len({row["link"] for row in rows}) == 1099


def test_sorted_by_date_the_newest_come_first(site):
    items = ask(site.root, parameters(query="경제", display=100, sort="date"))[1]["items"]
    dates = [parsedate_to_datetime(item["pubDate"]) for item in items]
    assert dates == sorted(dates, reverse=True)


def test_a_word_that_is_nowhere_finds_nothing(site):
    _, value = ask(site.root, parameters(query="없는말"))
    assert (value["total"], value["display"], value["items"]) == (0, 0, [])


def test_the_daily_quota_ends_in_010_and_is_new_on_the_next_korean_day():
    quota, evening = Quota(a_day=2), datetime(2026, 3, 1, 23, 59, tzinfo=KST)
    quota.spend(evening)
    quota.spend(evening)
    with pytest.raises(ApiError) as caught:
        quota.spend(evening)
    assert (caught.value.code, caught.value.status) == ("010", 429)
    quota.spend(evening + timedelta(minutes=1))


def test_the_rate_ends_in_012_and_is_new_in_the_next_second():
    quota, now = Quota(a_second=1), datetime(2026, 3, 1, 12, tzinfo=KST)
    quota.spend(now)
    with pytest.raises(ApiError) as caught:
        quota.spend(now)
    assert (caught.value.code, caught.value.status) == ("012", 429)
    quota.spend(now + timedelta(seconds=1))


def test_a_system_error_is_se99():
    with serving(MANY[:1], Faults(search_error="SE99")) as newsroom:
        assert ask(newsroom.root, "query=a")[0] == 500


HUB_KEYS = {"X-NCP-APIGW-API-KEY-ID": "id", "X-NCP-APIGW-API-KEY": "secret"}


def test_api_hub_answers_the_same_and_nests_its_errors(site):
    asked = parameters(query="경제", display=3, sort="date")
    status, value = ask(site.root, asked, HUB_KEYS, "/search/v1/news")
    assert status == 200
    assert value["items"] == ask(site.root, asked)[1]["items"]
    assert ask(site.root, asked, KEYS, "/search/v1/news")[1]["error"]["errorCode"] == "024"
    assert ask(site.root, "query=a&display=0", HUB_KEYS, "/search/v1/news") == (
        400,
        {"error": {"errorMessage": "Invalid display value (부적절한 display 값입니다.)", "errorCode": "SE02"}},
    )
