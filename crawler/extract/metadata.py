"""What a page says about itself in JSON-LD, OpenGraph and meta elements. Pure.

JSON-LD: schema.org's NewsArticle. OpenGraph: ogp.me with its `article` vocabulary. `dable:` is a recommendation
widget's vocabulary that most Korean publishers carry.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from crawler.extract.elements import line, select, string
from crawler.extract.times import machine_time

_ARTICLES = frozenset({"NewsArticle", "Article", "ReportageNewsArticle", "BlogPosting", "AnalysisNewsArticle"})
_LARGEST = 2_000_000
"""Characters of JSON-LD that are read."""
_MOST_NODES = 5_000


@dataclass(frozen=True)
class Metadata:
    """A page's word about its article; empty or None where it says nothing."""

    title: str
    press: str
    section: str
    byline: str
    published: datetime | None
    modified: datetime | None
    body: str
    """schema.org's articleBody: plain text."""


def metas(page: etree._Element) -> dict[str, list[str]]:
    """The contents of the meta elements by name, property or itemprop in lower case, empty ones left out."""
    found: dict[str, list[str]] = {}
    for meta in select(page, "meta[content]"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        if content := line(meta.get("content", "")):
            found.setdefault(name.strip().lower(), []).append(content)
    return found


def read(page: etree._Element) -> Metadata:
    """The metadata of a page; JSON-LD goes before OpenGraph."""
    named, ld = metas(page), json_ld(page)

    def said(*names: str) -> str:
        return next((named[name][0] for name in names if name in named), "")

    def moment(value: Any, *names: str) -> datetime | None:
        stamps = [_text(value), *(stamp for name in names for stamp in named.get(name, ()))]
        return next((time for stamp in stamps if stamp and (time := machine_time(stamp))), None)

    return Metadata(
        title=_text(ld.get("headline")) or said("og:title", "twitter:title", "title"),
        press=_names(ld.get("publisher")) or said("og:site_name", "publisher", "article:publisher_name"),
        section=_text(ld.get("articleSection")) or said("article:section", "article:section1"),
        byline=_names(ld.get("author")) or said("dable:author", "author", "article:author", "og:article:author"),
        published=moment(
            ld.get("datePublished"), "article:published_time", "og:article:published_time", "datepublished", "pubdate"
        ),
        modified=moment(ld.get("dateModified"), "article:modified_time", "og:updated_time", "datemodified"),
        body=str(ld.get("articleBody") or ""),
    )


def json_ld(page: etree._Element) -> dict[str, Any]:
    """The first article that the page's JSON-LD describes; empty: none. What cannot be read is passed over."""
    for script in select(page, 'script[type="application/ld+json"]'):
        text = string(script)
        if len(text) > _LARGEST:
            continue
        try:
            # Korean sites leave raw line ends inside strings.
            value = json.loads(text.strip().rstrip(";"), strict=False)
        except (ValueError, RecursionError):
            continue
        for node in _nodes(value):
            if _ARTICLES.intersection(_types(node)):
                return node
    return {}


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, the outer ones first."""
    left = deque([value])
    for _ in range(_MOST_NODES):
        if not left:
            return
        value = left.popleft()
        if isinstance(value, dict):
            yield value
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _types(node: dict[str, Any]) -> list[str]:
    kind = node.get("@type")
    return [str(one) for one in kind] if isinstance(kind, list) else [str(kind)]


def _text(value: Any) -> str:
    """A string as one line; of several the first."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return line(value) if isinstance(value, str) else ""


def _names(value: Any) -> str:
    """The names of persons or organisations, as text or as objects with a name."""
    values = value if isinstance(value, list) else [value]
    names = [_text(one.get("name")) if isinstance(one, dict) else _text(one) for one in values]
    return ", ".join(name for name in names if name)
