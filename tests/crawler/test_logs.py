"""Secrets never leave by a log line, however they are written; lines are readable by people and programs."""

import io
import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.logs import HIDDEN, JsonLines, Redactor, TextLines, begin, is_json, secrets_of
from crawler.newsroom.server import Answer, Faults, serving
from korbert.db.connection import connect, transaction

SECRET = "s3cr3t/With+signs=="


def record(message, *arguments, fields=None, exc_info=None):
    made = logging.LogRecord("crawler", logging.WARNING, __file__, 1, message, arguments, exc_info)
    if fields is not None:
        made.fields = fields
    return made


@pytest.mark.parametrize(
    "line",
    [
        f"plainly {SECRET} in a sentence",
        "encoded s3cr3t%2FWith%2Bsigns%3D%3D",
        f"https://apis.data.go.kr/1371000/x?serviceKey={SECRET}&startDate=20240101",
        f"postgresql://korbert:{SECRET}@db:5432/news: refused",
        repr({"X-Naver-Client-Secret": SECRET}),
    ],
)
def test_a_known_secret_is_hidden_however_it_is_written(line):
    shown = Redactor([SECRET])(line)
    assert "s3cr3t" not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("GET http://h/x?serviceKey=abc%2B1&page=2", "GET http://h/x?serviceKey=***&page=2"),
        ("GET http://h/x?page=2&ServiceKey=abc", "GET http://h/x?page=2&ServiceKey=***"),
        ("X-Naver-Client-Id: abc", "X-Naver-Client-Id: ***"),
        ("X-NCP-APIGW-API-KEY: abc, next", "X-NCP-APIGW-API-KEY: ***, next"),
        ("{'X-NCP-APIGW-API-KEY-ID': b'abc'}", "{'X-NCP-APIGW-API-KEY-ID': b'***'}"),
        ('{"client_secret": "abc"}', '{"client_secret": "***"}'),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("postgresql://u:p@ss@w/db", "postgresql://***@w/db"),
        ("http://u:p@h/x and http://h/y@z", "http://***@h/x and http://h/y@z"),
        ("DATABASE_URL=postgres://u:p@h", "DATABASE_URL=postgres://***@h"),
    ],
)
def test_an_unknown_secret_is_hidden_by_the_place_where_it_stands(line, shown):
    assert Redactor()(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "list 2019-11 page 2, try 1, failed: http://127.0.0.1:8000/list?month=2019-11&page=2: answered 500",
        "skipped https://n.news.naver.com/mnews/article/001/0001, missing: answered 404",
        "search API: 401 024 Authentication failed; see NAVER_CLIENT_ID and NAVER_CLIENT_SECRET",
        "연락처 press@example.org, 비밀번호를 바꾸라는 기사",
    ],
)
def test_a_line_without_a_secret_stays_as_it_is(line):
    assert Redactor([SECRET, "abc"])(line) == line


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=6, max_size=40), st.text(max_size=20))
def test_no_secret_of_six_characters_or_more_survives(secret, around):
    assert secret not in Redactor([secret])(f"{around} {secret} {around}").replace(HIDDEN, "")


def test_the_secrets_of_a_process_are_found_by_their_names():
    environment = {
        "NAVER_CLIENT_SECRET": "one-secret",
        "KORBERT_SERVICE_KEY": "two-secret",
        "DATABASE_URL": "postgresql://u:three-secret@h/d",
        "HOME": "/home/someone",
        "PGPASSWORD": "four-secret",
        "EMPTY_TOKEN": "",
    }
    found = secrets_of(environment, "postgresql://u:five-secret@h/d", "six-secret")
    assert set(found) == {f"{name}-secret" for name in ("one", "two", "three", "four", "five", "six")}


def test_a_stack_trace_and_the_arguments_of_a_record_are_redacted_too():
    try:
        raise ValueError(f"connecting with {SECRET}")
    except ValueError:
        failed = record("to %s", SECRET, exc_info=sys.exc_info())
    redact = Redactor([SECRET])
    text, line = TextLines(redact).format(failed), JsonLines(redact).format(failed)
    assert "Traceback" in text
    assert "s3cr3t" not in text + line
    assert json.loads(line)["trace"].startswith("Traceback")


def test_a_json_line_is_one_object_with_the_records_fields():
    fields = {"slice": 'list "2019-11"', "url": f"http://h/?token={SECRET}", "try": 2, "level": "x", "left": None}
    line = JsonLines(Redactor([SECRET])).format(record("첫째\n둘째 %d", 7, fields=fields))
    assert "\n" not in line
    value = json.loads(line)
    assert value["message"] == "첫째\n둘째 7"
    assert (value["level"], value["slice"], value["try"], value["left"]) == ("warning", 'list "2019-11"', 2, None)
    assert value["url"] == f"http://h/?token={HIDDEN}"
    assert value["time"].endswith("+00:00")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("form", "stream", "json_lines"),
    [
        ("auto", Terminal(), False),
        ("auto", io.StringIO(), True),
        ("json", Terminal(), True),
        ("text", io.StringIO(), False),
    ],
)
def test_lines_are_json_where_no_person_reads_them(form, stream, json_lines):
    assert is_json(form, stream) is json_lines


def test_records_of_all_loggers_go_to_the_stream_without_secrets():
    stream = io.StringIO()
    before = logging.getLogger().handlers[:]
    try:
        begin("json", stream, Redactor([SECRET]))
        logging.getLogger("somebody.else").warning("with %s", SECRET)
        logging.getLogger("crawler").info("progress")
        logging.getLogger("somebody.else").info("not shown")
    finally:
        logging.getLogger().handlers[:] = before
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == [f"with {HIDDEN}", "progress"]


def test_a_crawl_into_a_pipe_logs_json_lines_with_what_happened(crawls, articles):
    with serving(articles, Faults(missing=frozenset({articles[0].id}), search_error="SE01")) as site:
        end = crawls.run(site.root)
    lines = [json.loads(line) for line in end.err.splitlines()]
    by_event = {line["event"]: line for line in lines}
    assert (by_event["skipped"]["reason"], by_event["skipped"]["native_id"]) == ("missing", articles[0].id)
    assert (by_event["slice"]["state"], by_event["slice"]["try"]) == ("failed", 1)
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)


def test_text_can_be_asked_for(crawls, articles):
    with serving(articles, Faults(missing=frozenset({articles[0].id}))) as site:
        end = crawls.run(site.root, "--log", "text")
    assert end.err.startswith("crawler: skipped http://")
    assert end.err.count("\n") == 1


def test_the_errors_that_the_ledger_keeps_hold_no_secret(crawls, articles):
    crawls.environment["NEWS_API_KEY"] = "month=2019-12"
    crawls.configure(queries=(), retries=0)
    with serving(articles) as site:
        answer = site.answer
        site.answer = lambda target, headers: (
            Answer(500, "text/plain", b"") if "month=2019-12" in target else answer(target, headers)
        )
        assert crawls.run(site.root).code == 3
    connection = connect(crawls.database_url)
    with transaction(connection) as cursor:
        cursor.execute("SELECT error FROM slice WHERE state = 'failed'")
        ((error,),) = cursor.fetchall()
    connection.close()
    assert "answered 500" in error
    assert HIDDEN in error
    assert "2019-12" not in error


def test_what_ends_a_crawl_is_said_without_secrets(crawls):
    crawls.environment["NEWS_TOKEN"] = "127.0.0.1:1"
    crawls.configure(retries=0)
    end = crawls.run("http://127.0.0.1:1")
    assert end.code == 1
    assert end.err.startswith(f"crawler: http://{HIDDEN}/robots.txt: could not be read")
    assert "127.0.0.1:1" not in end.err
