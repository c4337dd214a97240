import gzip
import io
from collections import Counter
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.archives import warc
from crawler.archives.origin import Origin
from korbert.errors import UsageError

ORIGIN = Origin("cc_news", "copyright of each publisher", False, "a test")
BODY = "정부는 새 예산안을 국무회의에서 의결했다고 밝혔다. 시민들은 달라질 살림을 두고 여러 말을 나누었다. " * 4


def html(number: int, charset: str = "utf-8", extra: str = "") -> bytes:
    text = f"""<html><head><meta charset="{charset}"><title>{number}번째 소식 - 한빛일보</title>
<meta property="og:title" content="{number}번째 소식"><meta property="og:site_name" content="한빛일보">
<meta property="article:published_time" content="2021-03-0{1 + number % 9}T10:00:00+09:00">{extra}</head>
<body><nav><a href="/a">정치</a><a href="/b">경제</a></nav>
<article><h1>{number}번째 소식</h1><p>(서울=한빛일보) 김하늘 기자 = {BODY}</p><p>{number}번 문단. {BODY}</p></article>
<footer>한빛일보 대표전화 안내</footer></body></html>"""
    return text.encode("cp949" if charset == "euc-kr" else charset)


def response(
    writer: WARCWriter, url: str, body: bytes, status: str = "200 OK", content_type: str = "text/html", **headers: str
) -> None:
    lines = [("Content-Type", content_type), *((name.replace("_", "-"), value) for name, value in headers.items())]
    writer.write_record(
        writer.create_warc_record(
            url, "response", payload=io.BytesIO(body), http_headers=StatusAndHeaders(status, lines, "HTTP/1.1")
        )
    )


@pytest.fixture(params=["a.warc.gz", "a.warc"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Six articles among what a crawl also meets."""
    path = tmp_path / request.param
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=path.suffix == ".gz")
        writer.write_record(writer.create_warcinfo_record("a.warc", {"software": "test"}))
        for i in range(3):
            response(writer, f"https://h.example/news/{i}", html(i))
        response(writer, "https://h.example/gone", html(90), "404 Not Found")
        response(writer, "https://h.example/p.jpg", b"\xff\xd8", content_type="image/jpeg")
        response(writer, "https://h.example/en", b"<html><body><p>" + b"An English page. " * 99 + b"</p></body></html>")
        response(writer, "https://h.example/empty", b"")
        response(writer, "https://h.example/no-time", html(91).replace(b"published_time", b"x"))
        response(writer, "https://h.example/news/3", html(3, "euc-kr"), content_type="text/html; charset=euc-kr")
        response(writer, "https://h.example/news/4", gzip.compress(html(4)), Content_Encoding="gzip")
        response(writer, "https://h.example/news/5", html(5), X_Robots_Tag="noai")
    return path


def read(path: Path, start: int = 0):
    skipped: Counter[str] = Counter()
    return list(warc.read(str(path), start, ORIGIN, skipped)), skipped


def test_korean_articles_are_read_and_everything_else_is_counted(archive):
    rows, skipped = read(archive)
    assert [a.url for _, a in rows] == [f"https://h.example/news/{i}" for i in range(6)]
    assert [a.title for _, a in rows] == [f"{i}번째 소식" for i in range(6)]
    assert skipped == {"record warcinfo": 1, "status": 1, "no HTML": 1, "not Korean": 2, "unreadable": 1}


def test_an_article_is_clean_and_carries_its_rights(archive):
    (_, article), *_, (_, refusing) = read(archive)[0]
    assert article.text.startswith("정부는 새 예산안을")
    assert (article.press, article.byline, article.native_id) == ("한빛일보", "김하늘 기자", "h.example/news/0")
    assert [r.reason for r in article.removed] == ["dateline"]
    assert (article.may_train, article.licence) == (False, "copyright of each publisher")
    assert refusing.opt_out == "robots: noai"


def test_reading_goes_on_from_every_position_as_if_it_had_never_stopped(archive):
    whole, _ = read(archive)
    for i, (position, _) in enumerate(whole):
        assert [a for _, a in read(archive, position)[0]] == [a for _, a in whole[i + 1 :]]
        assert [p for p, _ in read(archive, position)[0]] == [p for p, _ in whole[i + 1 :]]


def test_what_is_cut_off_gives_what_came_before_and_then_an_error(archive):
    data = archive.read_bytes()
    (first_end, first), (second_end, _), *_ = read(archive)[0]
    for cut in (1, 5, 12, 60, 300, second_end - first_end - 40):
        archive.write_bytes(data[: first_end + cut])
        rows = []
        with pytest.raises(UsageError, match="at byte"):
            rows.extend(a for _, a in warc.read(str(archive), 0, ORIGIN, Counter()))
        assert rows == [first]


@pytest.mark.parametrize(
    "data", [b"no archive at all\r\n\r\n", gzip.compress(b"hello " * 1000, mtime=0), b"\x00" * 5000]
)
def test_what_is_no_archive_is_an_error(tmp_path, data):
    (tmp_path / "x.warc.gz").write_bytes(data)
    with pytest.raises(UsageError, match="no WARC record"):
        read(tmp_path / "x.warc.gz")


def test_a_page_that_swells_is_passed_over(tmp_path):
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        response(writer, "https://h.example/bomb", gzip.compress(b"0" * (64 << 20)), Content_Encoding="gzip")
        response(writer, "https://h.example/news/1", html(1))
    rows, skipped = read(path)
    assert [a.url for _, a in rows] == ["https://h.example/news/1"]
    assert skipped == {"too large": 1}


def test_an_id_is_the_address_without_its_scheme_and_never_too_long():
    assert warc.native_id("https://h.example/a?b=1#c") == "h.example/a?b=1"
    assert len(warc.native_id("https://h.example/" + "가" * 400)) == 64
