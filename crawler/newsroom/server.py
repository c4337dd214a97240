"""The newsroom over HTTP/1.1 with keep-alive; what it can do wrong on purpose is in `Faults`."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from crawler.newsroom import briefing, lists, pages, search
from crawler.newsroom.articles import NewsArticle

_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_ROBOTS = "User-agent: *\nAllow: /\nDisallow: /admin/\nDisallow: /private/\n"
_HTML, _JSON, _TEXT = "text/html; charset=", "application/json; charset=UTF-8", "text/plain; charset=utf-8"
_XML = "application/xml; charset=UTF-8"


@dataclass
class Faults:
    """What goes wrong, and how often; by default nothing. Counted over article pages unless said otherwise."""

    calls_a_day: int = 0
    """Search calls until error 010; 0: no limit."""
    calls_a_second: int = 0
    """Search calls a second until error 012; 0: no limit."""
    search_error: str = ""
    """Error code with which every search call is answered."""
    error_every: int = 0
    """Every n-th article request is answered 500."""
    truncate_every: int = 0
    """Every n-th article answer stops half-way."""
    broken: frozenset[str] = frozenset()
    """Ids of articles that always answer 500."""
    missing: frozenset[str] = frozenset()
    """Ids of articles that answer 404 though they are listed."""
    unavailable_first: int = 0
    """So many first article requests are answered 503."""
    retry_after: str = ""
    """`Retry-After` of the answers 503 and 429; empty: the header is left out."""
    seconds: float = 0.0
    """Time an article answer takes."""
    robots: str = _ROBOTS
    """The text of robots.txt."""
    robots_status: int = 200
    """Its status."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every article."""


@dataclass(frozen=True)
class Answer:
    """What goes back to the client."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    truncated: bool = False
    zeros: int = 0
    """So many zero bytes follow the body, as long as the client takes them; they are never held in memory."""
    length: bool = True
    """Whether Content-Length is sent; without it the end of the connection is the end of the body."""


class Newsroom:
    """The site: articles by id and by month, a search index, a quota; a path in, an answer out."""

    def __init__(self, articles: Sequence[NewsArticle], faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.root = ""
        self.hits: Counter[str] = Counter()
        """Requests by kind: robots, search, briefing, list, article, other."""
        self.asked: Counter[str] = Counter()
        """Article requests by id."""
        self.articles = {article.id: article for article in articles}
        self._index = search.Index(articles)
        self._lists = lists.Lists(articles)
        self._quota = search.Quota(self.faults.calls_a_day, self.faults.calls_a_second)
        self._lock = threading.Lock()
        self._months: dict[str, list[NewsArticle]] = {}
        for article in sorted(articles, key=lambda a: (-a.published.timestamp(), a.id)):
            self._months.setdefault(f"{article.published:%Y-%m}", []).append(article)

    def answer(self, target: str, headers: dict[str, str]) -> Answer:
        """The answer to GET `target`; `headers` by their names in lower case."""
        url = urlsplit(target)
        root = self._root(headers)
        if url.path == "/robots.txt":
            self._count("robots")
            return Answer(self.faults.robots_status, _TEXT, self.faults.robots.encode())
        if url.path.startswith(("/v1/search/", search.HUB)):
            self._count("search")
            return self._search(url.path, url.query, headers, root)
        if url.path == briefing.PATH:
            self._count("briefing")
            return self._briefing(url.query, root)
        if listed := self._listed(url.path, url.query):
            self._count("list")
            return listed
        article = self._article(url.path, parse_qs(url.query))
        if article is None:
            self._count("other")
            return _NOT_FOUND
        return self._page(article, root)

    def _count(self, kind: str) -> int:
        with self._lock:
            self.hits[kind] += 1
            return self.hits[kind]

    def _search(self, path: str, query: str, headers: dict[str, str], root: str) -> Answer:
        try:
            if self.faults.search_error:
                raise search.ApiError(self.faults.search_error)
            with self._lock:
                value = search.answer(self._index, path, query, headers, self._quota, datetime.now(UTC), root)
        except search.ApiError as error:
            return Answer(
                error.status, _JSON, json.dumps(error.answer(path), ensure_ascii=False).encode(), self._wait()
            )
        return Answer(200, _JSON, json.dumps(value, ensure_ascii=False).encode())

    def _briefing(self, query: str, root: str) -> Answer:
        error = self.faults.search_error
        try:
            with self._lock:
                self._quota.spend(datetime.now(UTC))
        except search.ApiError:
            error = "22"
        return Answer(200, _XML, briefing.answer(self.articles.values(), query, root, error))

    def _root(self, headers: dict[str, str]) -> str:
        """The site's address as the client knows it: behind a Kubernetes service it is not the one bound to."""
        host = headers.get("host", "")
        return f"http://{host}" if _HOST.fullmatch(host) else self.root

    def _listed(self, path: str, raw_query: str) -> Answer | None:
        """The list page at a path; None where there is none."""
        if path == "/list":
            return self._list(parse_qs(raw_query))
        query = dict(parse_qsl(raw_query))
        if path == "/main/list.naver":
            return Answer(200, _HTML + "euc-kr", self._lists.numbered(query))
        if path == f"/section/template/{lists.COMPONENT}":
            return Answer(200, _JSON, self._lists.by_cursor(query))
        return None

    def _list(self, query: dict[str, list[str]]) -> Answer:
        month, page = query.get("month", [""])[0], query.get("page", ["1"])[0]
        if not (page.isascii() and page.isdigit() and 1 <= int(page) <= 1_000_000):
            return _NOT_FOUND
        body = pages.list_page(month, int(page), self._months.get(month, ())) if _is_month(month) else ""
        return Answer(200, _HTML + "utf-8", body.encode()) if body else _NOT_FOUND

    def _article(self, path: str, query: dict[str, list[str]]) -> NewsArticle | None:
        """The article at an address; an address in the other layout's form or with another press is none."""
        if path == "/main/read.naver":
            article = self.articles.get(query.get("aid", [""])[0])
            return article if article and article.legacy and query.get("oid") == [article.office] else None
        parts = path.split("/")
        if len(parts) != 5 or parts[:3] != ["", "mnews", "article"]:
            return None
        article = self.articles.get(unquote(parts[4]))
        return article if article and not article.legacy and parts[3] == article.office else None

    def _page(self, article: NewsArticle, root: str) -> Answer:
        number, faults = self._count("article"), self.faults
        with self._lock:
            self.asked[article.id] += 1
        if faults.seconds:
            time.sleep(faults.seconds)
        if article.id in faults.missing:
            return _NOT_FOUND
        if number <= faults.unavailable_first:
            return Answer(503, _TEXT, b"come back later\n", self._wait())
        if article.id in faults.broken or (faults.error_every and number % faults.error_every == 0):
            return Answer(500, _TEXT, b"broken on purpose\n")
        related = self._months[f"{article.published:%Y-%m}"][:5]
        body = pages.page_of(article, root, related)
        truncated = bool(faults.truncate_every) and number % faults.truncate_every == 0
        return Answer(200, _HTML + pages.charset_of(article), body, tuple(faults.headers.items()), truncated)

    def _wait(self) -> tuple[tuple[str, str], ...]:
        return (("Retry-After", self.faults.retry_after),) if self.faults.retry_after else ()


_ZEROS = bytes(2**20)
_NOT_FOUND = Answer(404, _TEXT, "페이지를 찾을 수 없습니다.\n".encode())


def _is_month(text: str) -> bool:
    year, _, month = text.partition("-")
    return len(year) == 4 and len(month) == 2 and (year + month).isdecimal() and 1 <= int(month) <= 12


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "newsroom"
    # One segment an answer: without these, Nagle and delayed ACK cost 40 ms a page.
    wbufsize = -1
    disable_nagle_algorithm = True
    newsroom: Newsroom

    def do_GET(self) -> None:
        answer = self.newsroom.answer(self.path, {name.lower(): value for name, value in self.headers.items()})
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        if answer.length:
            self.send_header("Content-Length", str(len(answer.body) + answer.zeros))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.truncated else answer.body)
        for _ in range(0, answer.zeros, len(_ZEROS)):
            self.wfile.write(_ZEROS)
        self.close_connection = self.close_connection or answer.truncated or not answer.length

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a line a request would be thousands."""

    def handle(self) -> None:
        # A client that goes away in mid-answer (a killed crawler) is everyday here.
        with suppress(ConnectionError, TimeoutError):
            super().handle()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


def bind(newsroom: Newsroom, port: int = 0, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server that listens; its `serve_forever` does the rest. Port 0: any free one.

    Raises:
        OSError: when the port is taken or not allowed.
    """
    handler = type("Handler", (_Handler,), {"newsroom": newsroom})
    server = _Server((host, port), handler)
    newsroom.root = f"http://{host}:{server.server_address[1]}"
    return server


@contextmanager
def serving(articles: Sequence[NewsArticle], faults: Faults | None = None, port: int = 0) -> Iterator[Newsroom]:
    """A newsroom in a thread of this process; its `root` is the address, without a slash at the end."""
    newsroom = Newsroom(articles, faults)
    server = bind(newsroom, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield newsroom
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
