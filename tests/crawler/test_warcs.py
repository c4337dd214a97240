"""Raw pages lie in WARC files that others can read, and can be erased there."""

import gzip
import random
from datetime import UTC, datetime

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.warcs import WarcFiles, _blank, erase, read
from korbert.db.raw import RawPage
from korbert.db.takedowns import WarcRecord
from korbert.errors import WorldError


def page(number: int, body: bytes = b"") -> RawPage:
    return RawPage(
        source="s",
        native_id=f"{number}",
        publisher="newsroom",
        url=f"http://h/{number}",
        fetched_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        status=200,
        headers={"content-type": "text/html; charset=euc-kr"},
        body=body or f"<p>기사 {number}</p>".encode("euc-kr"),
        parser="1",
        layout="one",
        licence="own",
        may_train=True,
        evidence="test",
    )


def records(path):
    with path.open("rb") as handle:
        return [
            (r.rec_type, r.rec_headers["WARC-Target-URI"], r.content_stream().read()) for r in ArchiveIterator(handle)
        ]


def test_each_page_is_read_back_by_its_place(tmp_path):
    bodies = [b"", b"x", random.Random(1).randbytes(100_000), b"\r\n\r\n" * 10, b"\0"]
    pages = [page(number, body or b"-") for number, body in enumerate(bodies)]
    places = WarcFiles(tmp_path / "new" / "folder").append(pages)
    for one, place in sorted(zip(pages, places, strict=True), key=lambda pair: -pair[1].offset):
        assert read(tmp_path / "new" / "folder", place) == one.body


def test_the_file_is_a_warc_that_others_read(tmp_path):
    files = WarcFiles(tmp_path)
    files.append([page(1)])
    files.append([page(2)])
    (path,) = tmp_path.iterdir()
    assert records(path)[1:] == [("response", "http://h/1", page(1).body), ("response", "http://h/2", page(2).body)]
    with path.open("rb") as handle:
        info, first, _ = [r.rec_headers.get_header("WARC-Date") or r for r in ArchiveIterator(handle)]
    assert (info is not None, first) == (True, "2026-01-02T03:04:05Z")
    text = gzip.decompress(path.read_bytes())
    assert text.startswith(b"WARC/1.1\r\nWARC-Type: warcinfo")
    assert b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=euc-kr\r\n" in text


def test_a_full_file_is_followed_by_another(tmp_path):
    files = WarcFiles(tmp_path, max_bytes=1000)
    places = []
    for number in range(8):
        files.begin()
        places += files.append([page(number)])
    assert len({place.file for place in places}) == len(list(tmp_path.iterdir())) > 1
    assert [read(tmp_path, place) for place in places] == [page(number).body for number in range(8)]


def test_what_was_rolled_back_is_not_in_the_file(tmp_path):
    files = WarcFiles(tmp_path)
    files.append([page(1)])
    files.begin()
    files.append([page(2)])
    files.undo()
    files.begin()
    files.undo()
    (place,) = files.append([page(3)])
    files.close()
    (path,) = tmp_path.iterdir()
    assert [url for _, url, _ in records(path)][1:] == ["http://h/1", "http://h/3"]
    assert read(tmp_path, place) == page(3).body


@pytest.mark.parametrize("size", [1, 20, 500, 100_000])
def test_an_erased_page_is_gone_and_the_others_stay(tmp_path, size):
    secret = random.Random(size).randbytes(size + 8).hex().encode()
    files = WarcFiles(tmp_path)
    places = files.append([page(1), page(2, secret), page(3)])
    erase(tmp_path, [places[1]])
    (path,) = tmp_path.iterdir()
    assert [url for _, url, _ in records(path)][1:] == ["http://h/1", "urn:korbert:removed", "http://h/3"]
    assert secret not in gzip.decompress(path.read_bytes())
    assert read(tmp_path, places[2]) == page(3).body
    with pytest.raises(WorldError, match="holds no page at byte"):
        read(tmp_path, places[1])


def test_a_record_too_short_for_a_notice_becomes_an_empty_one():
    assert [gzip.decompress(_blank(length)) for length in (21, 60)] == [b"", b""]
    assert len(_blank(21)) == 21


def test_files_that_are_not_there_are_one_line(tmp_path):
    place = WarcRecord("gone.warc.gz", 0, 10)
    with pytest.raises(WorldError, match="gone.warc.gz: No such file.*crawl.raw_folder"):
        read(tmp_path, place)
    with pytest.raises(WorldError, match="gone.warc.gz: No such file.*must be erased"):
        erase(tmp_path, [place])


def test_a_place_in_the_midst_of_a_record_is_one_line(tmp_path):
    (place,) = WarcFiles(tmp_path).append([page(1)])
    with pytest.raises(WorldError, match="holds no page at byte"):
        read(tmp_path, WarcRecord(place.file, place.offset + 7, place.length))
