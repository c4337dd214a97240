"""The newsroom's search API: Naver's news search as documented, at the developer centre's path and at API HUB's.

Pure: a request's path, query and headers in, status and answer out. The quota's clock comes in as an argument.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from crawler.newsroom.articles import KST, NewsArticle
from crawler.newsroom.pages import path_of

KEYS = {
    "/v1/search/news.json": ("x-naver-client-id", "x-naver-client-secret"),
    "/search/v1/news": ("x-ncp-apigw-api-key-id", "x-ncp-apigw-api-key"),
}
"""Path to the headers with the client's id and secret: the developer centre's, then API HUB's."""
HUB = "/search/v1/"
MAX_DISPLAY, MAX_START = 100, 1000
_DESCRIPTION_CHARACTERS = 110

_ERRORS = {
    "024": (401, "Authentication failed (인증에 실패했습니다.)"),
    "010": (429, "Query limit exceeded (쿼리 한도를 초과했습니다.)"),
    "012": (429, "Rate limit exceeded. (속도 제한을 초과했습니다.)"),
    "SE01": (400, "Incorrect query request (잘못된 쿼리요청입니다.)"),
    "SE02": (400, "Invalid display value (부적절한 display 값입니다.)"),
    "SE03": (400, "Invalid start value (부적절한 start 값입니다.)"),
    "SE04": (400, "Invalid sort value (부적절한 sort 값입니다.)"),
    "SE06": (400, "Malformed encoding (잘못된 형식의 인코딩입니다.)"),
    "SE05": (404, "Invalid search api (존재하지 않는 검색 api 입니다.)"),
    "SE99": (500, "System Error (시스템 에러)"),
}


class ApiError(Exception):
    """One of the documented errors, by its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status that goes with it."""
        return _ERRORS[self.code][0]

    def answer(self, path: str) -> dict[str, Any]:
        """The answer's body; API HUB nests it."""
        value = {"errorMessage": _ERRORS[self.code][1], "errorCode": self.code}
        return {"error": value} if path.startswith(HUB) else value


@dataclass
class Quota:
    """Calls allowed a Korean day and a second (0: no limit); counts them."""

    a_day: int = 0
    a_second: int = 0
    _day: tuple[str, int] = field(default=("", 0), repr=False)
    _second: tuple[int, int] = field(default=(0, 0), repr=False)

    def spend(self, now: datetime) -> None:
        """Counts one call.

        Raises:
            ApiError: 010 when the day's calls are spent, 012 when the second's are.
        """
        day, second = now.astimezone(KST).date().isoformat(), int(now.timestamp())
        self._second = (second, self._second[1] + 1 if self._second[0] == second else 1)
        if self.a_second and self._second[1] > self.a_second:
            raise ApiError("012")
        self._day = (day, self._day[1] + 1 if self._day[0] == day else 1)
        if self.a_day and self._day[1] > self.a_day:
            raise ApiError("010")


@dataclass(frozen=True)
class Request:
    """The checked parameters of one call."""

    query: str
    display: int
    start: int
    sort: str


def checked(raw_query: str) -> Request:
    """The parameters of a query string.

    Raises:
        ApiError: SE06 for bytes that are not UTF-8, SE01 to SE04 for the parameter that breaks its rule.
    """
    try:
        given = dict(parse_qsl(raw_query, keep_blank_values=True, errors="strict"))
    except ValueError as error:
        raise ApiError("SE06") from error
    if not given.get("query", "").strip():
        raise ApiError("SE01")
    if given.get("sort", "sim") not in ("sim", "date"):
        raise ApiError("SE04")
    return Request(
        given["query"],
        _number(given.get("display", "10"), MAX_DISPLAY, "SE02"),
        _number(given.get("start", "1"), MAX_START, "SE03"),
        given.get("sort", "sim"),
    )


def _number(text: str, largest: int, code: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= largest:
        raise ApiError(code)
    return int(text)


class Index:
    """The articles, searchable: every word of the query must occur in title or text."""

    def __init__(self, articles: Sequence[NewsArticle]) -> None:
        self._articles = articles
        self._haystacks = [f"{a.title}\n{a.text}".casefold() for a in articles]
        self._titles = [a.title.casefold() for a in articles]
        self.find = lru_cache(maxsize=256)(self._find)

    def _find(self, query: str, sort: str) -> tuple[NewsArticle, ...]:
        words = query.casefold().split()
        hits = [i for i, text in enumerate(self._haystacks) if all(word in text for word in words)]
        if sort == "sim":
            hits.sort(key=lambda i: (-sum(self._titles[i].count(w) for w in words), self._newest_first(i)))
        else:
            hits.sort(key=self._newest_first)
        return tuple(self._articles[i] for i in hits)

    def _newest_first(self, i: int) -> tuple[float, str]:
        return (-self._articles[i].published.timestamp(), self._articles[i].id)


def answer(
    index: Index, path: str, raw_query: str, headers: Mapping[str, str], quota: Quota, now: datetime, root: str
) -> dict[str, Any]:
    """The answer to one call of `path`; `headers` by their names in lower case, `root` is the site's address.

    Raises:
        ApiError: for whatever the API refuses.
    """
    if path not in KEYS:
        raise ApiError("SE05")
    if not all(headers.get(name) for name in KEYS[path]):
        raise ApiError("024")
    quota.spend(now)
    request = checked(raw_query)
    found = index.find(request.query, request.sort)
    rows = found[request.start - 1 : request.start - 1 + request.display]
    return {
        "lastBuildDate": format_datetime(now.astimezone(KST)),
        "total": len(found),
        "start": request.start,
        "display": len(rows),
        "items": [_item(article, request.query, root + path_of(article)) for article in rows],
    }


def _item(article: NewsArticle, query: str, link: str) -> dict[str, str]:
    return {
        "title": _marked(article.title, query),
        "originallink": link,
        "link": link,
        "description": _marked(_excerpt(article.text, query), query),
        "pubDate": format_datetime(article.published),
    }


def _excerpt(text: str, query: str) -> str:
    at = max(text.casefold().find(query.split()[0].casefold()) - 20, 0)
    piece = text[at : at + _DESCRIPTION_CHARACTERS].replace("\n", " ")
    return piece + "..." if at + _DESCRIPTION_CHARACTERS < len(text) else piece


def _marked(text: str, query: str) -> str:
    """The text as the API gives it: entities for HTML's characters, the query's words in bold."""
    words = "|".join(re.escape(word) for word in sorted(query.split(), key=len, reverse=True))
    parts = re.split(f"({words})", text, flags=re.IGNORECASE)
    return "".join(f"<b>{html.escape(p)}</b>" if i % 2 else html.escape(p) for i, p in enumerate(parts))
