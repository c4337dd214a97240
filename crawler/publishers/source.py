"""What a source is: data, no code of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import unquote


@dataclass(frozen=True)
class Layout:
    """Where the parts of an article page lie, as CSS selectors; empty: the layout has no such part."""

    name: str
    title: str
    body: str
    published: str
    """Element that holds the time of publication in Korea."""
    published_attribute: str
    """Attribute of it with the time; empty: its text."""
    press: str
    """Elements that name the press."""
    section: str
    byline: str
    drop: Mapping[str, str]
    """What is no text of the article inside its body: the reason (caption, advert) to the CSS selector."""
    press_attribute: str = "title"
    """Attribute of `press` with the name; empty: its text."""
    modified: str = ""
    """Element that holds the time of the last change."""
    modified_attribute: str = ""
    """Attribute of it with the time; empty: its text."""
    until: datetime | None = None
    """The site printed no page in this layout that was published from then on; None: still in use."""


@dataclass(frozen=True)
class Rights:
    """What may be done with a source's articles, and how that is known."""

    licence: str
    may_train: bool
    evidence: str
    """Where it was read: the address of the terms, the permission's date."""
    robots: str
    """What robots.txt said when the source was written down; the live file decides."""


@dataclass(frozen=True)
class Source:
    """A site with a search API, list pages and articles."""

    name: str
    search: str
    """Path of the search API below the site's root."""
    listing: str
    """Path of the list page of a month; `{month}` (YYYY-MM) and `{page}` (from 1) are filled in."""
    listed: str
    """CSS selector of the links to articles on a list page."""
    following: str
    """CSS selector of the link to the next list page."""
    articles: tuple[str, ...]
    """Regular expressions of article addresses; the group `id` holds the article's own id, percent-encoded."""
    layouts: tuple[Layout, ...]
    """Tried in order; none: the generic extractor reads the pages."""
    rights: Rights
    strip: bool = False
    """Whether datelines, bylines, copyright lines and promotion are taken out of the body, each recorded. Without it
    they stay for the corpus to clean."""
    reach: int = 1000
    """The search API's greatest `start`: results beyond `reach - 1 + page size` cannot be asked for."""

    @cached_property
    def _addresses(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern) for pattern in self.articles)

    def native_id(self, url: str) -> str:
        """The id of the article at `url`; empty when the address is no article's."""
        for pattern in self._addresses:
            if found := pattern.search(url):
                return unquote(found["id"])
        return ""
