"""Elements and their text: what CSS selects, and text with its paragraphs kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from urllib.parse import urljoin

from lxml import etree
from parsel.csstranslator import HTMLTranslator

from korbert.db.article import Removed

# White space as HTML defines it: other spaces (U+00A0, U+3000) are characters of the text.
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BREAK = "\0"  # no HTML can hold it; parts the lines while white space is collapsed
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "footer", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul",
})  # fmt: skip
_UNSEEN = frozenset({"script", "style", "noscript", "iframe", "template", "button", "form", "svg"})
"""Elements whose text, if any, is not the publisher's word to a reader."""


@cache
def _compiled(css: str) -> etree.XPath:
    return etree.XPath(HTMLTranslator().css_to_xpath(css))


def select(root: etree._Element, css: str) -> list[etree._Element]:
    """The elements that match, in document order; none for an empty selector."""
    found = _compiled(css)(root) if css else []
    assert isinstance(found, list)
    return found


def line(text: str) -> str:
    """`text` as a browser shows it in one line."""
    return _SPACE.sub(" ", text).strip()


def string(element: etree._Element) -> str:
    """All text in an element, that of nested ones included."""
    return "".join(str(piece) for piece in element.itertext())


def first(root: etree._Element, css: str, attribute: str = "") -> str:
    """The text (or the attribute) of the first element that matches; empty: there is none."""
    for element in select(root, css):
        return line(element.get(attribute, "") if attribute else string(element))
    return ""


def paragraphs(body: etree._Element, drop: Mapping[str, str]) -> tuple[str, tuple[Removed, ...]]:
    """The body's text, a paragraph a line, and what was dropped from it by reason (`drop`: reason to selector)."""
    reasons = {element: reason for reason, css in drop.items() for element in select(body, css)}
    removed: list[Removed] = []
    flow = "".join(_pieces(body, reasons, removed))
    return lines(flow), tuple(removed)


def lines(flow: str) -> str:
    """Text with breaks (`\\0`) as lines: white space collapsed, empty lines gone."""
    parts = (part.strip() for part in _SPACE.sub(" ", flow).split(_BREAK))
    return "\n".join(part for part in parts if part)


def _pieces(body: etree._Element, dropped: Mapping[etree._Element, str], removed: list[Removed]) -> Iterator[str]:
    """The texts in document order, with a break around each block. What follows a dropped element is kept.

    It walks and does not recurse: a hostile page nests deeper than Python's stack.
    """
    walker = etree.iterwalk(body, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        if event == "start" and element in dropped:
            walker.skip_subtree()
            if text := seen(element):
                removed.append(Removed(dropped[element], text))
        elif event == "start":
            yield _BREAK if element.tag in _BLOCKS else ""
            yield element.text or ""
        elif event == "end" and element.tag in _BLOCKS:
            yield _BREAK
        if event != "start" and element is not body:
            yield element.tail or ""


def seen(element: etree._Element) -> str:
    """The text of an element that a reader sees, in one line."""
    if element.tag in _UNSEEN:
        return ""
    unseen = {e for e in element.iter(*_UNSEEN) if e is not element}
    pieces: list[str] = []
    walker = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    for event, inner in walker:
        if event == "start" and inner in unseen:
            walker.skip_subtree()
        elif event == "start":
            pieces.append(inner.text or "")
        if event != "start" and inner is not element:
            pieces.append((" " if inner.tag in _BLOCKS else "") + (inner.tail or ""))
    return line("".join(pieces))


def canonical(page: etree._Element, url: str) -> str:
    """The page's word for its own address, whatever the host; empty: it says none that can be read."""
    link = first(page, "link[rel=canonical]", "href")
    try:
        return urljoin(url, link) if link else ""
    except ValueError:
        return ""


def own_address(page: etree._Element, url: str) -> str:
    """The canonical address where it lies on the page's host, else `url`."""
    named = canonical(page, url)
    # A page that claims another site's address does not get to say whose article it is.
    return named if named.split("/")[:3] == url.split("/")[:3] else url
