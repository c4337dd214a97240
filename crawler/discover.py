"""What a slice's page says: links to articles, and which pages come after it. Pure.

A slice is one page of a search (`search`, the API's answer) or of a month's list (`list`, HTML).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from parsel import Selector

from crawler.publishers.source import Source
from korbert.config import CrawlConfig
from korbert.db.ledger import SliceKey


class ApiRefusal(Exception):
    """An error answer of the search API, by its code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"search API: {status} {code} {message}".strip())
        self.status = status
        self.code = code

    @property
    def quota_spent(self) -> bool:
        """The day's calls are used up: nothing more until the day turns in Korea."""
        return self.code == "010"

    @property
    def permanent(self) -> bool:
        """The same call would be refused again: wrong key, wrong parameters, no such API."""
        return 400 <= self.status < 500 and self.status not in (408, 429)


class UnreadablePage(ValueError):
    """The page of a slice is not what the source's data says."""


@dataclass(frozen=True)
class Found:
    """What one page of a slice holds."""

    articles: dict[str, str]
    """Native id to address, in the page's order."""
    total: int | None
    """The source's own count of results; None where it gives none."""
    following: tuple[SliceKey, ...]
    """Slices that come after this one."""
    capped: bool
    """The source holds more than it lets anyone read."""
    seen: int
    """Results on the page, also those that are no articles of the source."""


def first_slices(source_name: str, config: CrawlConfig) -> list[SliceKey]:
    """Page 1 of every month and every query of the configuration: all other slices follow from these."""
    lists = [SliceKey(source_name, "list", month=month) for month in months(config.since, config.until)]
    return lists + [SliceKey(source_name, "search", query=query) for query in config.queries if query.strip()]


def months(since: str, until: str) -> list[str]:
    """The months from `since` to `until` (YYYY-MM), both included."""
    first, last = (int(text[:4]) * 12 + int(text[5:]) - 1 for text in (since, until))
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(first, last + 1)]


def address(root: str, source: Source, key: SliceKey, page_size: int) -> str:
    """The address of a slice's page; `root` is the site's, without a slash at its end."""
    if key.kind == "list":
        return root + source.listing.format(month=key.month, page=key.page)
    # The last page within reach overlaps the one before: start 1000 with 100 rows ends at row 1,099.
    start = min((key.page - 1) * page_size + 1, source.reach)
    parameters = {"query": key.query, "display": page_size, "start": start, "sort": "date"}
    return f"{root}{source.search}?{urlencode(parameters)}"


def refusal(status: int, body: bytes) -> ApiRefusal:
    """The API's error answer; API HUB nests it under `error`."""
    try:
        value: Any = json.loads(body)
        value = value.get("error", value)
        return ApiRefusal(status, str(value.get("errorCode", "")), str(value.get("errorMessage", "")))
    except (ValueError, AttributeError):
        return ApiRefusal(status, "", "")


def read_search(body: bytes, source: Source, key: SliceKey, page_size: int) -> Found:
    """The results of a search answer.

    Raises:
        UnreadablePage: when it is no answer of the API.
    """
    try:
        value = json.loads(body)
        total, items = int(value["total"]), value["items"]
        links = [str(item["link"]) for item in items]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadablePage(f"the search answer cannot be read ({type(error).__name__}: {error})") from error
    rows = min(total, source.reach - 1 + page_size)
    last = -(-rows // page_size)
    # Page 1 plans all others; each plans those after it again, because the total may have grown meanwhile.
    following = tuple(replace(key, page=page) for page in range(key.page + 1, last + 1)) if links else ()
    return Found(_articles(links, source), total, following, total > rows and key.page == last, len(links))


def read_list(html: str, url: str, source: Source, key: SliceKey) -> Found:
    """The links of a list page, and the next page if the page links to one.

    Raises:
        UnreadablePage: when the page is empty.
    """
    if not html.strip():
        raise UnreadablePage("the list page is empty")
    page = Selector(text=html, type="html")
    links = [urljoin(url, link.strip()) for link in page.css(source.listed).xpath("@href").getall()]
    more = bool(page.css(source.following)) and bool(links)
    following = (replace(key, page=key.page + 1),) if more else ()
    return Found(_articles(links, source), None, following, False, len(links))


def _articles(links: Sequence[str], source: Source) -> dict[str, str]:
    """Links to articles of the source by native id; others lead to other sites or to what is no article."""
    return {
        native: link
        for link in links
        if urlsplit(link).scheme in ("http", "https") and (native := source.native_id(link))
    }
