from datetime import date, datetime, timedelta

import pytest

from crawler.discovery.press_releases import PressReleases
from crawler.discovery.protocol import Answer, ApiRefusal, Scope, UnreadablePage
from crawler.newsroom import briefing
from crawler.newsroom.articles import printed
from crawler.publishers.policy_briefing import SOURCE
from korbert.db.article import KST
from korbert.db.ledger import SliceKey

(API,) = SOURCE.discoveries
ROOT = "http://newsroom.example"
SCOPE = Scope("policy_briefing", date(2024, 2, 27), date(2024, 3, 5))
KEY = SliceKey("policy_briefing", "api", month="2024-02-27")


def read(body: bytes | str):
    body = body.encode() if isinstance(body, str) else body
    return API.read(Answer("http://api.example", body), SCOPE, KEY, SOURCE)


def answered(items: str, code: str = "0", message: str = "NORMAL_SERVICE") -> str:
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><response><header><resultCode>{code}</resultCode>"
        f"<resultMsg>{message}</resultMsg></header><body>{items}</body></response>"
    )


def item(**fields: str) -> str:
    named = {
        "NewsItemId": "156000001",
        "Title": "봄철 산불 &amp;middot; 예방",
        "ApproveDate": "02/28/2024 09:30:15",
        "ModifyDate": "02/29/2024 10:00:00",
        "DataContents": "<![CDATA[<p>첫&nbsp;문단.</p><p>둘째 <b>문단</b>.<br>셋째.</p>]]>",
        "MinisterCode": "산림청",
        "OriginalUrl": "https://www.korea.kr/briefing/pressReleaseView.do?newsId=156000001",
        **fields,
    }
    return "<NewsItem>" + "".join(f"<{name}>{value}</{name}>" for name, value in named.items()) + "</NewsItem>"


def test_windows_of_three_days_cover_every_day_of_the_range_once():
    keys = API.first_slices(SCOPE)
    calls = [API.call(SCOPE, key, ("secret",)).url for key in keys]
    assert [url.partition("?")[2] for url in calls] == [
        "startDate=20240226&endDate=20240228",
        "startDate=20240229&endDate=20240302",
        "startDate=20240303&endDate=20240305",
    ]


@pytest.mark.parametrize("given", ["a+b/c==", "a%2Bb%2Fc%3D%3D"])
def test_the_key_goes_over_the_wire_encoded_once_and_into_no_log(given):
    call = API.call(SCOPE, KEY, (given,))
    assert "serviceKey" not in call.url
    assert "a+b" not in repr(call)
    assert call.wire_url.endswith("&serviceKey=a%2Bb%2Fc%3D%3D")


def test_a_release_is_read_whole():
    found = read(answered(item()))
    assert (found.seen, found.total, found.articles, found.capped) == (1, 1, {}, False)
    (release,) = found.ready
    assert release.native_id == "156000001"
    assert release.title == "봄철 산불 · 예방"
    assert release.text == "첫\xa0문단.\n둘째 문단.\n셋째."
    assert release.press == "산림청"
    assert release.published == datetime(2024, 2, 28, 9, 30, 15, tzinfo=KST)
    assert release.modified == datetime(2024, 2, 29, 10, 0, tzinfo=KST)
    assert (release.licence, release.may_train) == ("", True)
    assert SOURCE.native_id(release.url) == release.native_id


@pytest.mark.parametrize(
    ("mark", "licence", "may_train"),
    [
        ("공공누리 제1유형", "KOGL type 1", True),
        ("공공누리 제4유형", "KOGL type 4", False),
        ("공공누리 제4유형 + 공공누리 AI유형", "KOGL type 4 + AI", True),
    ],
)
def test_a_release_that_names_its_own_licence_keeps_it(mark, licence, may_train):
    (release,) = read(answered(item(DataContents=f"<![CDATA[<p>글.</p><p>{mark}</p>]]>"))).ready
    assert (release.licence, release.may_train) == (licence, may_train)


@pytest.mark.parametrize(
    "fields",
    [{"NewsItemId": ""}, {"Title": " "}, {"ApproveDate": "2024-02-28"}, {"DataContents": "<![CDATA[<img src='a'>]]>"}],
)
def test_a_release_without_an_id_a_title_a_time_or_a_text_is_seen_and_not_kept(fields):
    found = read(answered(item(**fields) + item()))
    assert found.seen == 2
    assert [release.native_id for release in found.ready] == ["156000001"]


def test_days_without_a_release_are_an_empty_answer():
    assert read(answered("", "03", "NODATA_ERROR")).ready == ()
    assert read(answered("")).seen == 0


GATEWAY = (
    "<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg><returnAuthMsg>{}</returnAuthMsg>"
    "<returnReasonCode>{}</returnReasonCode></cmmMsgHeader></OpenAPI_ServiceResponse>"
)


@pytest.mark.parametrize(
    ("body", "code", "verdict"),
    [
        (GATEWAY.format("LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR", "22"), "22", "day"),
        (GATEWAY.format("SERVICE_KEY_IS_NOT_REGISTERED_ERROR", "30"), "30", "key"),
        (GATEWAY.format("DEADLINE_HAS_EXPIRED_ERROR", "31"), "31", "key"),
        (GATEWAY.format("APPLICATION_ERROR", "01"), "01", "again"),
        (answered("", "98", "THREE_DAYS_OVER_ERROR"), "98", "never"),
        (answered("", "11", "NO_MANDATORY_REQUEST_PARAMETERS_ERROR"), "11", "never"),
        (answered("", "99", "UNKNOWN_ERROR"), "99", "again"),
        ("<html><body>점검 중</body></html>", "99", "again"),
    ],
)
def test_an_error_says_what_follows_from_it_whatever_its_status(body, code, verdict):
    with pytest.raises(ApiRefusal) as caught:
        read(body)
    assert (caught.value.code, caught.value.verdict) == (code, verdict)
    assert API.refusal(500, body.encode()).verdict == verdict


def test_a_refusal_that_cannot_be_read_goes_by_its_status():
    assert [API.refusal(status, b"Forbidden").verdict for status in (401, 403, 429, 500)] == [
        "key",
        "key",
        "again",
        "again",
    ]


@pytest.mark.parametrize("body", ["", "plain", "<response>", "\x00", '{"response": {}}'])
def test_what_is_no_xml_is_unreadable(body):
    with pytest.raises(UnreadablePage, match="no XML"):
        read(body)


def test_an_entity_of_the_answer_reads_no_file(tmp_path):
    (tmp_path / "secret").write_text("비밀")
    document = f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>' + answered(item(Title="제목&x;"))[38:]
    assert "비밀" not in repr(read(document[document.index("<!") :]))


def test_the_newsroom_plays_the_api_and_every_article_comes_back_exactly():
    records = [
        {
            "id": str(i),
            "press": "한빛부",
            "date": f"2024-03-0{3 + i % 3}T0{i}:05:09",
            "title": f"{i} <b> & ]]>",
            "text": t,
        }
        for i, t in enumerate(["가나 다.\n<p>글</p> & ]]> 끝", "한 문단", "a\u3000b\n둘"])
    ]
    articles = list(printed(records, "test"))
    scope = Scope("b", date(2024, 3, 3), date(2024, 3, 5))
    (key,) = API.first_slices(scope)
    query = API.call(scope, key, ("k",)).wire_url.partition("?")[2]
    found = read(briefing.answer(articles, query, ROOT))
    assert [(r.native_id, r.title, r.text, r.published) for r in found.ready] == [
        (a.id, a.title, a.text, a.published) for a in articles
    ]
    assert read(briefing.answer([], query, ROOT)).ready == ()


@pytest.mark.parametrize(
    ("query", "error", "code"),
    [
        ("startDate=20240301&endDate=20240301", "", "30"),
        ("startDate=20240301&endDate=20240301&serviceKey=k", "22", "22"),
        ("startDate=20240301&endDate=20240304&serviceKey=k", "", "98"),
        ("startDate=2024&serviceKey=k", "", "11"),
    ],
)
def test_the_newsroom_refuses_as_the_portal_does(query, error, code):
    with pytest.raises(ApiRefusal) as caught:
        read(briefing.answer([], query, ROOT, error))
    assert caught.value.code == code


def test_no_window_is_longer_than_the_portal_allows():
    for length in range(1, 12):
        scope = Scope("b", date(2024, 2, 25), date(2024, 2, 25) + timedelta(days=length - 1))
        for key in API.first_slices(scope):
            query = API.call(scope, key, ("k",)).wire_url.partition("?")[2]
            assert read(briefing.answer([], query, ROOT)).seen == 0


def test_the_call_is_made_where_the_crawl_says():
    scope = Scope("b", date(2024, 3, 1), date(2024, 3, 1), root="http://127.0.0.1:8000")
    assert isinstance(API, PressReleases)
    assert API.call(scope, KEY, ("k",)).url.startswith(f"http://127.0.0.1:8000{briefing.PATH}?")
