"""An article page in a layout that somebody has written down as selectors. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from lxml import etree

from crawler.extract.article import Extracted, NotAnArticle
from crawler.extract.elements import first, own_address, paragraphs, select
from crawler.extract.times import labelled_time

if TYPE_CHECKING:
    # The sources are made of what the extractor reads with.
    from crawler.publishers.source import Layout


def read(page: etree._Element, url: str, layouts: Sequence[Layout]) -> Extracted:
    """The article in the first layout that fits.

    Raises:
        NotAnArticle: with what each layout missed, when none fits.
    """
    reasons = []
    for layout in layouts:
        try:
            return _read(page, url, layout)
        except NotAnArticle as error:
            reasons.append(f"{layout.name}: {error}")
    raise NotAnArticle("; ".join(reasons))


def _read(page: etree._Element, url: str, layout: Layout) -> Extracted:
    title = first(page, layout.title)
    if not title:
        raise NotAnArticle(f"no title at {layout.title}")
    bodies = select(page, layout.body)
    if not bodies:
        raise NotAnArticle(f"no body at {layout.body}")
    published = _published(page, layout)
    text, removed = paragraphs(bodies[0], layout.drop)
    if not text:
        raise NotAnArticle(f"the body at {layout.body} holds no text")
    return Extracted(
        url=own_address(page, url),
        title=title,
        text=text,
        press=first(page, layout.press, layout.press_attribute),
        section=first(page, layout.section),
        byline=first(page, layout.byline),
        published=published,
        layout=layout.name,
        modified=labelled_time(first(page, layout.modified, layout.modified_attribute)),
        removed=removed,
    )


def _published(page: etree._Element, layout: Layout) -> datetime:
    if not select(page, layout.published):
        raise NotAnArticle(f"no time at {layout.published}")
    stamp = first(page, layout.published, layout.published_attribute)
    moment = labelled_time(stamp)
    if moment is None:
        raise NotAnArticle(f"the time at {layout.published} is {stamp[:40]!r}")
    if layout.until and moment >= layout.until:
        raise NotAnArticle(f"published {moment:%Y-%m-%d}, after the layout's end on {layout.until:%Y-%m-%d}")
    return moment
