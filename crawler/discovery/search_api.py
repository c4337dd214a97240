"""Naver's news search API, legacy and API HUB: pages of a query's results, newest first, as far as it reaches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode, urlsplit

from crawler.discovery.protocol import Answer, ApiRefusal, Call, Credentials, Found, Scope, UnreadablePage
from korbert.db.ledger import SliceKey

if TYPE_CHECKING:
    # The sources are made of what is defined here.
    from crawler.publishers.source import Source

LONGEST_QUERY = 4
"""Words of a narrowed query: each further one divides the rest of a rest."""


@dataclass(frozen=True)
class SearchApi:
    """Slices `search`: one page of one query."""

    endpoint: str
    header_names: tuple[str, str]
    """Headers that carry the client's id and secret."""
    reach: int = 1000
    """The greatest `start`: results beyond `reach - 1 + page size` cannot be asked for."""
    kind: str = "search"
    paid: bool = True

    def first_slices(self, scope: Scope) -> list[SliceKey]:
        """Page 1 of every query. The API knows no dates: `since` and `until` do not bind it."""
        return [SliceKey(scope.source, self.kind, query=query) for query in scope.queries if query.strip()]

    def call(self, scope: Scope, key: SliceKey, credentials: Credentials) -> Call:
        """The last page within reach overlaps the one before: start 1000 with 100 rows ends at row 1,099."""
        start = min((key.page - 1) * scope.page_size + 1, self.reach)
        parameters = {"query": key.query, "display": scope.page_size, "start": start, "sort": "date"}
        headers = dict(zip(self.header_names, credentials, strict=True))
        return Call(f"{scope.at(self.endpoint)}?{urlencode(parameters)}", headers)

    def read(self, answer: Answer, scope: Scope, key: SliceKey, source: Source) -> Found:
        """The results of a search answer.

        Raises:
            UnreadablePage: when it is no answer of the API.
        """
        total, links = _results(answer.body)
        rows = min(total, self.reach - 1 + scope.page_size)
        last = -(-rows // scope.page_size)
        # Page 1 plans all others; each plans those after it again, because the total may have grown meanwhile.
        following = tuple(replace(key, page=page) for page in range(key.page + 1, last + 1)) if links else ()
        capped = total > rows and key.page == last
        narrower = narrowed(key, scope.narrow) if capped else ()
        return Found(articles(links, source), total, following, capped, len(links), narrower)

    def refusal(self, status: int, body: bytes) -> ApiRefusal:
        """The API's error answer; API HUB nests it under `error`."""
        try:
            value: Any = json.loads(body)
            value = value.get("error", value)
            code, message = str(value.get("errorCode", "")), str(value.get("errorMessage", ""))
        except (ValueError, AttributeError):
            code = message = ""
        return ApiRefusal(status, code, message, _verdict(status, code))


def narrowed(key: SliceKey, terms: Sequence[str]) -> tuple[SliceKey, ...]:
    """Page 1 of the query with each of `terms` added: the API gives what holds all of the words.

    The terms of a query stand at its end in their own order, so that the same words in another order, which would find
    the same, are the same slice.
    """
    words = key.query.split()
    if len(words) >= LONGEST_QUERY:
        return ()
    order = [term for term in dict.fromkeys(terms) if term.strip()]
    own = [word for word in words if word not in order]
    queries = [
        " ".join([*own, *(other for other in order if other in words or other == term)])
        for term in order
        if term not in words
    ]
    return tuple(replace(key, query=query, page=1) for query in queries)


def articles(links: Sequence[str], source: Source) -> dict[str, str]:
    """Links to articles of the source by native id; others lead to other sites or to what is no article."""
    return {
        native: link
        for link in links
        if urlsplit(link).scheme in ("http", "https") and (native := source.native_id(link))
    }


def _results(body: bytes) -> tuple[int, list[str]]:
    try:
        value = json.loads(body)
        return int(value["total"]), [str(item["link"]) for item in value["items"]]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadablePage(f"the search answer cannot be read ({type(error).__name__}: {error})") from error


def _verdict(status: int, code: str) -> Literal["day", "key", "never", "again"]:
    if code == "010":
        return "day"
    if status in (401, 403):
        return "key"
    return "never" if 400 <= status < 500 and status not in (408, 429) else "again"
