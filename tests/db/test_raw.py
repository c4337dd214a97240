"""Raw pages are kept once, come back byte for byte, and are read again when the extractor is another."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from korbert.db import raw
from korbert.db.connection import transaction
from korbert.db.raw import RawPage
from korbert.db.takedowns import WarcRecord, forget
from korbert.errors import UsageError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def page(number: int, **changes) -> RawPage:
    plain = RawPage(
        source="s",
        native_id=f"{number:03}",
        publisher="newsroom",
        url=f"http://h/{number}",
        fetched_at=NOON + timedelta(seconds=number),
        status=200,
        headers={"content-type": "text/html; charset=euc-kr"},
        body=f"<p>기사 {number}".encode("euc-kr"),
        parser="1",
        layout="one",
        licence="own",
        may_train=True,
        evidence="test",
    )
    return replace(plain, **changes)


def kept(connection, *pages: RawPage, **options) -> int:
    with transaction(connection) as cursor:
        return raw.store(cursor, pages, **options)


def outdated(connection, parser="2", **options) -> list[RawPage]:
    return [stored.page for stored in raw.outdated(connection, "s", parser, **options)]


@pytest.mark.parametrize("body", [b"", b"\0\xff", "가".encode() * 100_000, random.Random(1).randbytes(300_000)])
def test_bytes_come_back_as_they_went_in(connection, body):
    assert kept(connection, page(1, body=body)) == 1
    assert outdated(connection) == [page(1, body=body)]


def test_text_takes_a_fraction_of_its_size(connection):
    body = "".join(f"<p class=paragraph>기사의 {number}번째 문단입니다.</p>" for number in range(1000)).encode()
    kept(connection, page(1, body=body))
    with transaction(connection) as cursor:
        cursor.execute("SELECT pg_column_size(content), bytes FROM raw_page")
        stored, size = cursor.fetchone()
    assert size == len(body)
    assert stored < size / 5


def test_the_same_bytes_are_kept_once_and_seen_last_by_the_latest_time(connection):
    assert kept(connection, page(1), page(2), page(1)) == 2
    assert kept(connection, page(1, fetched_at=NOON + timedelta(days=1)), page(2, fetched_at=NOON)) == 0
    assert [p.fetched_at for p in outdated(connection)] == [NOON + timedelta(days=1), NOON + timedelta(seconds=2)]


def test_only_the_newest_page_of_an_article_is_read_again(connection):
    changed = page(1, body=b"changed", fetched_at=NOON + timedelta(days=1))
    kept(connection, page(1), changed)
    assert [p.body for p in outdated(connection)] == [b"changed"]
    # A page that became again what it was is the newest one.
    kept(connection, page(1, fetched_at=NOON + timedelta(days=2)))
    assert [p.body for p in outdated(connection)] == [page(1).body]


def test_what_this_extractor_has_read_is_not_asked_for_again(connection):
    kept(connection, page(1), page(2), page(3, parser="2"))
    assert [p.native_id for p in outdated(connection)] == ["001", "002"]
    first = raw.outdated(connection, "s", "2")[0]
    with transaction(connection) as cursor:
        raw.set_read(cursor, first.id, "2", "new")
    assert [p.native_id for p in outdated(connection)] == ["002"]
    assert [(p.native_id, p.layout) for p in outdated(connection, "3", batch=1)] == [("001", "new")]
    assert raw.counts(connection, "2") == {"s": (3, 1)}


def test_pages_come_in_batches_and_by_layout(connection):
    kept(connection, *(page(number, layout="" if number % 2 else "one") for number in range(6)))
    assert [p.native_id for p in outdated(connection, batch=2, after="001")] == ["002", "003"]
    assert [p.native_id for p in outdated(connection, layout="")] == ["001", "003", "005"]
    assert outdated(connection, layout="other") == []


def test_what_was_taken_down_is_not_kept(connection):
    kept(connection, page(1), page(2))
    assert forget(connection, "url", "http://h/1").pages == 1
    assert kept(connection, page(1), page(2), page(3)) == 1
    assert [p.native_id for p in outdated(connection)] == ["002", "003"]


def test_pages_in_files_are_read_from_there(connection):
    def write(pages):
        return [WarcRecord("f", 10 * index, 10) for index, _ in enumerate(pages)]

    assert kept(connection, page(1), page(2), write=write) == 2
    assert kept(connection, page(1), write=lambda pages: pytest.fail("it is kept already")) == 0
    bodies = outdated(connection, read=lambda place: f"{place.file}:{place.offset}".encode())
    assert [p.body for p in bodies] == [b"f:0", b"f:10"]
    with pytest.raises(UsageError, match="lies in WARC file f; name its folder"):
        outdated(connection)
