from datetime import UTC, datetime

import pytest
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest
from scrapy.http import Request, Response

from crawler.items import Stopping, Tally
from crawler.middlewares import LONGEST_WAIT, Metering, backoff, retry_after

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 21:00:05 +0900", 5.0),
        ("soon", None),
        ("-5", None),
        ("１２", None),
        ("", None),
        (None, None),
        ("9" * 30, 999999999.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    headers = {} if value is None else {"Retry-After": value.encode()}
    assert retry_after(Response("http://h/", status=503, headers=headers), NOW) == seconds


def test_waits_double_up_to_the_longest():
    waits = [backoff(tries) for tries in range(12)]
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits == sorted(waits)
    assert backoff(10_000) == LONGEST_WAIT


def test_every_try_is_counted_by_its_end_and_a_retry_does_not_inherit_seconds():
    tally = Tally()
    metering = Metering(tally)
    request = Request("http://h/", meta={"download_latency": 0.25})
    metering.process_response(request, Response("http://h/", status=503, body=b"later"))
    again = request.replace(meta=request.meta)
    metering.process_exception(again, DownloadTimeoutError("late"))
    metering.process_response(again, Response("http://h/", status=200, body=b"page"))
    assert tally.requests == {"503": 1, "DownloadTimeoutError": 1, "200": 1}
    assert tally.received == 9
    assert tally.seconds["fetch"] == 0.25


@pytest.mark.parametrize("exception", [IgnoreRequest("robots.txt disallows it"), Stopping()])
def test_what_never_reached_the_network_is_not_counted(exception):
    tally = Tally()
    Metering(tally).process_exception(Request("http://h/"), exception)
    assert not tally.requests
