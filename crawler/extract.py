"""An article page's HTML to the article: pure. Which selectors apply is data (`publishers`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from urllib.parse import urljoin

from lxml import etree
from parsel import Selector
from parsel.csstranslator import HTMLTranslator

from crawler.publishers.source import Layout, Source
from korbert.db.articles import KST

# White space as HTML defines it: other spaces (U+00A0, U+3000) are characters of the text.
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BREAK = "\0"  # no HTML can hold it; parts the lines while white space is collapsed
_STAMP = re.compile(r"(\d{4})[.-](\d{1,2})[.-](\d{1,2})\.?\s*(오전|오후)?\s*(\d{1,2}):(\d{2})(?::(\d{2}))?")
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "footer", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul",
})  # fmt: skip
_OPT_OUT = re.compile(r"\b(noai|noimageai)\b", re.IGNORECASE)
_FORBIDS_AI = re.compile(r"AI\s*학습(?:\s*및\s*활용)?\s*(?:이용)?\s*금지")


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
    """Name of the layout that matched."""
    opt_out: str
    """The page's own refusal of AI training, quoted; empty: it has none."""


def extract(html: str, url: str, source: Source, headers: Mapping[str, str] | None = None) -> Extracted:
    """The article on a page; `headers` are the answer's, names in lower case, read for opt-out signals.

    Raises:
        NotAnArticle: when no layout of the source fits.
    """
    if not html.strip():
        raise NotAnArticle("the page is empty")
    page = Selector(text=html, type="html").root
    reasons = []
    for layout in source.layouts:
        try:
            return _read(page, url, layout, headers or {})
        except NotAnArticle as error:
            reasons.append(f"{layout.name}: {error}")
    raise NotAnArticle("; ".join(reasons))


def _read(page: etree._Element, url: str, layout: Layout, headers: Mapping[str, str]) -> Extracted:
    title = _first(page, layout.title)
    if not title:
        raise NotAnArticle(f"no title at {layout.title}")
    bodies = _all(page, layout.body)
    if not bodies:
        raise NotAnArticle(f"no body at {layout.body}")
    published = _published(page, layout)
    text = _text(bodies[0], layout)
    if not text:
        raise NotAnArticle(f"the body at {layout.body} holds no text")
    return Extracted(
        url=_canonical(page, url),
        title=title,
        text=text,
        press=_line(next((e.get("title", "") for e in _all(page, layout.press)), "")),
        section=_first(page, layout.section),
        byline=_first(page, layout.byline),
        published=published,
        layout=layout.name,
        opt_out=_opt_out(page, headers),
    )


@cache
def _compiled(css: str) -> etree.XPath:
    return etree.XPath(HTMLTranslator().css_to_xpath(css))


def _all(root: etree._Element, css: str) -> list[etree._Element]:
    """The elements that match, in document order."""
    found = _compiled(css)(root) if css else []
    assert isinstance(found, list)
    return found


def _first(root: etree._Element, css: str) -> str:
    """The text of the first element that matches, nested text included."""
    return next((_line(_string(element)) for element in _all(root, css)), "")


def _string(element: etree._Element) -> str:
    return "".join(str(piece) for piece in element.itertext())


def _line(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _text(body: etree._Element, layout: Layout) -> str:
    flow = _SPACE.sub(" ", "".join(_pieces(body, set(_all(body, ", ".join(layout.drop.values()))))))
    lines = (line.strip() for line in flow.split(_BREAK))
    return "\n".join(line for line in lines if line)


def _pieces(body: etree._Element, dropped: set[etree._Element]) -> Iterator[str]:
    """The texts in document order, with a break around each block. What follows a dropped element is kept.

    It walks and does not recurse: a hostile page nests deeper than Python's stack.
    """
    walker = etree.iterwalk(body, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        if event == "start" and element in dropped:
            walker.skip_subtree()
        elif event == "start":
            yield _BREAK if element.tag in _BLOCKS else ""
            yield element.text or ""
        elif event == "end" and element.tag in _BLOCKS:
            yield _BREAK
        if event != "start" and element is not body:
            yield element.tail or ""


def _published(page: etree._Element, layout: Layout) -> datetime:
    found = _all(page, layout.published)
    if not found:
        raise NotAnArticle(f"no time at {layout.published}")
    stamp = found[0].get(layout.published_attribute, "") if layout.published_attribute else _line(_string(found[0]))
    moment = korean_time(stamp)
    if moment is None:
        raise NotAnArticle(f"the time at {layout.published} is {stamp[:40]!r}")
    if layout.until and moment >= layout.until:
        raise NotAnArticle(f"published {moment:%Y-%m-%d}, after the layout's end on {layout.until:%Y-%m-%d}")
    return moment


def korean_time(stamp: str) -> datetime | None:
    """`2019-12-31 23:59:07` or `2019.12.31. 오후 11:59` as a time in Korea; None for anything else."""
    found = _STAMP.fullmatch(stamp.strip())
    if not found:
        return None
    year, month, day, half, hour, minute, second = found.groups()
    clock = int(hour)
    if half:
        if not 1 <= clock <= 12:
            return None
        clock = clock % 12 + (12 if half == "오후" else 0)
    try:
        return datetime(int(year), int(month), int(day), clock, int(minute), int(second or 0), tzinfo=KST)
    except ValueError:
        return None


def _canonical(page: etree._Element, url: str) -> str:
    links = _all(page, "link[rel=canonical]")
    try:
        named = urljoin(url, links[0].get("href", "").strip()) if links else url
    except ValueError:
        return url
    # A page that claims another site's address does not get to say whose article it is.
    return named if named.split("/")[:3] == url.split("/")[:3] else url


def _opt_out(page: etree._Element, headers: Mapping[str, str]) -> str:
    """Signals that the publisher reserves AI training: X-Robots-Tag and robots metas, TDMRep, a note in the footer."""
    tags = [headers.get("x-robots-tag", ""), *(e.get("content", "") for e in _all(page, "meta[name=robots]"))]
    for tag in tags:
        if _OPT_OUT.search(tag):
            return f"robots: {tag.strip()[:100]}"
    reserved = [headers.get("tdm-reservation", "")]
    reserved += [e.get("content", "") for e in _all(page, "meta[name=tdm-reservation]")]
    if any(value.strip() == "1" for value in reserved):
        return "tdm-reservation: 1"
    for note in _all(page, ".copyright, footer"):
        if found := _FORBIDS_AI.search(_string(note)):
            return f"footer: {_line(found.group())}"
    return ""
