"""What a source is: data, no code of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from urllib.parse import unquote

from crawler.discovery.protocol import Discovery, Scope
from crawler.publishers.rights import Rights
from korbert.db.ledger import SliceKey

__all__ = ["Layout", "Politeness", "Rights", "Source"]


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
class Politeness:
    """How a source wants to be treated; a crawl may be slower, never faster, unless it asks a stand-in for it."""

    delay: float = 1.0
    """Seconds between two requests to one host. A longer `Crawl-delay` of the live robots.txt stands before it."""
    daily_calls: int = 0
    """Calls of its API a day of Korea; 0: it has no API, or sets no bound."""


@dataclass(frozen=True)
class Source:
    """Where articles come from."""

    name: str
    """Key of `SOURCES`."""
    hosts: tuple[str, ...]
    """Hosts that are asked, and no others; none: `--base-url` names the site."""
    discoveries: tuple[Discovery, ...]
    """How its articles are found; none: it is read from files."""
    articles: tuple[str, ...]
    """Regular expressions of article addresses; the group `id` holds the article's own id, percent-encoded, and the
    group `office`, where there is one, what it is unique in."""
    layouts: tuple[Layout, ...]
    """Tried in order; none: the generic extractor reads the pages."""
    rights: Rights
    politeness: Politeness = field(default_factory=Politeness)
    credentials: tuple[str, ...] = ()
    """Environment variables that hold the credentials, in the order in which its discoveries take them."""
    strip: bool = False
    """Whether datelines, bylines, copyright lines and promotion are taken out of the body, each recorded. Without it
    they stay for the corpus to clean."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of its slices."""
        return tuple(discovery.kind for discovery in self.discoveries)

    def discovery(self, kind: str) -> Discovery:
        """How a slice of this kind is asked for."""
        return next(discovery for discovery in self.discoveries if discovery.kind == kind)

    def first_slices(self, scope: Scope) -> list[SliceKey]:
        """The slices that all others follow from."""
        return [key for discovery in self.discoveries for key in discovery.first_slices(scope)]

    @cached_property
    def _addresses(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern) for pattern in self.articles)

    def native_id(self, url: str) -> str:
        """The id of the article at `url`; empty when the address is no article's."""
        for pattern in self._addresses:
            if found := pattern.search(url):
                parts = found.groupdict()
                return "/".join(unquote(parts[name]) for name in ("office", "id") if parts.get(name))
        return ""
