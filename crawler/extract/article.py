"""What is read from an article page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from korbert.db.article import Removed


class NotAnArticle(ValueError):
    """The page is no article in any layout of the source; the text says what was missing."""


@dataclass(frozen=True)
class Extracted:
    """What an article page says."""

    url: str
    """Canonical address: the page's own word if it names one on its host, else where it was fetched."""
    title: str
    text: str
    """Paragraphs, one a line, none empty."""
    press: str
    section: str
    byline: str
    published: datetime
    """Korean time."""
    layout: str
    """Name of the layout that matched; `generic`: none was needed."""
    opt_out: str = ""
    """The page's own refusal of AI training, quoted; empty: it has none."""
    modified: datetime | None = None
    """Korean time of the last change; None: the page names none."""
    removed: tuple[Removed, ...] = ()
    """What was taken out of the body: first elements in the page's order (the reason is a key of `Layout.drop`), then
    pieces of text (the reason is a rule of `korbert.corpus.boilerplate`). Each is kept as its text, not as its place:
    pieces go in several passes, and an offset before one pass means nothing after the next. Scripts and other
    elements without text that a reader sees are not listed."""
    canonical: str = ""
    """The page's own address for itself, on whatever host; empty: it names none."""
