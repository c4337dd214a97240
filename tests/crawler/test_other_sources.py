"""Whole crawls of what is not Naver: the press-release API, and a site by its sitemap; readers of files by kind."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crawler.archives import READERS
from crawler.newsroom.server import Faults, serving
from crawler.publishers import SOURCES
from korbert.db.connection import connect

TEXT = "시는 다음 달부터 버스 노선을 바꾼다고 밝혔다. 시민들은 반기는 분위기다. " * 4
PERMISSION = """[[permission]]
source = "site"
granted_by = "Site"
date = 2024-01-01
reference = "letter 7"
covers = ["collect", "train"]
"""


def stored(url: str, columns: str) -> list[tuple[object, ...]]:
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM article JOIN article_body ON article_id = id ORDER BY native_id")
        return cursor.fetchall()


def page(number: int, head: str = "") -> bytes:
    return f"""<html><head><meta charset="utf-8"><title>{number}번째 소식</title>{head}
<meta property="article:published_time" content="2020-01-0{number}T10:00:00+09:00"></head><body>
<h1>{number}번째 소식</h1>
<div id="articleBody"><p>{TEXT}</p><p>{number}번 문단. {TEXT}</p></div></body></html>""".encode()


def sitemap(root: str) -> bytes:
    return (
        f"<urlset><url><loc>{root}/news/1</loc></url><url><loc>{root}/news/2</loc><lastmod>2020-01-02</lastmod></url>"
        f"<url><loc>{root}/news/3</loc></url><url><loc>{root}/old</loc><lastmod>2001-01-01</lastmod></url></urlset>"
    ).encode()


@contextmanager
def site() -> Iterator[str]:
    """A site of three articles behind an index of sitemaps; the third one refuses AI training."""
    pages: dict[str, tuple[str, bytes]] = {"/robots.txt": ("text/plain", b"User-agent: *\nAllow: /\n")}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = pages.get(self.path, ("text/plain", b""))
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    root = f"http://127.0.0.1:{server.server_address[1]}"
    index = f"<sitemapindex><sitemap><loc>{root}/news.xml</loc></sitemap></sitemapindex>"
    pages["/sitemap.xml"] = ("application/xml", index.encode())
    pages["/news.xml"] = ("application/xml", sitemap(root))
    for number in (1, 2, 3):
        head = '<meta name="robots" content="noai">' if number == 3 else ""
        pages[f"/news/{number}"] = ("text/html; charset=utf-8", page(number, head))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield root
    finally:
        server.shutdown()
        server.server_close()


def test_the_press_releases_of_a_newsroom_are_all_stored_with_their_licence(crawls, database_url, articles):
    crawls.environment["DATA_GO_KR_SERVICE_KEY"] = "key+/="
    with serving(articles) as newsroom:
        ended = crawls.run(newsroom.root, "--source", "policy_briefing")
    assert ended.code == 0, ended.err
    assert "key+/=" not in ended.err + ended.out
    rows = stored(database_url, "native_id, title, body, licence, may_train")
    assert rows == [(a.id, a.title, a.text, "KOGL type 1", True) for a in sorted(articles, key=lambda a: a.id)]
    # 121 days in windows of three, one call each, and no page.
    assert (newsroom.hits["briefing"], newsroom.hits["article"]) == (41, 0)


def test_a_refused_key_ends_the_crawl_with_what_to_do(crawls, articles):
    crawls.environment["DATA_GO_KR_SERVICE_KEY"] = "expired"
    with serving(articles, Faults(search_error="31")) as newsroom:
        ended = crawls.run(newsroom.root, "--source", "policy_briefing")
    assert ended.code != 0
    assert "DEADLINE_HAS_EXPIRED" in ended.err
    assert newsroom.hits["briefing"] < 10


def test_an_unknown_site_is_refused_until_a_permission_is_recorded(crawls, database_url, tmp_path):
    with site() as root:
        refused = crawls.run(root, "--source", "site")
        assert refused.code == 2
        assert "may not be collected" in refused.err
        (tmp_path / "permissions.toml").write_text(PERMISSION)
        crawls.configure(permissions=str(tmp_path / "permissions.toml"), queries=())
        ended = crawls.run(root, "--source", "site")
    assert ended.code == 0, ended.err
    rows = stored(database_url, "title, may_train, opt_out, evidence")
    assert [row[:3] for row in rows] == [
        ("1번째 소식", True, ""),
        ("2번째 소식", True, ""),
        ("3번째 소식", False, "robots: noai"),
    ]
    assert all("letter 7" in str(row[3]) for row in rows)


@pytest.mark.parametrize(("kind", "source"), [("jsonl", "jsonl"), ("warc", "cc_news"), ("wikipedia", "wikipedia")])
def test_every_kind_of_file_has_a_reader_and_its_source_asks_no_site(kind, source):
    assert kind in READERS
    assert SOURCES[source].discoveries == ()
    assert SOURCES[source].hosts == ()
