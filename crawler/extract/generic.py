"""An article page of any site: the body by trafilatura, what surrounds it by the page's own metadata. Pure.

trafilatura (Barbaresi 2021, ACL demo) finds the body by rules over tags and classes, with justext and a
readability port as its second opinions.
"""

from __future__ import annotations

import re
from datetime import datetime

import trafilatura
from lxml import etree

from crawler.extract import metadata
from crawler.extract.article import Extracted, NotAnArticle
from crawler.extract.elements import first, own_address, seen, select
from crawler.extract.times import machine_time, time_within
from korbert.db.article import Removed

NAME = "generic"
_DROP = {
    "caption": "figcaption, .caption, .img_desc, .end_photo_org, .photo_caption, .img_caption, .desc_img",
    "advert": ".ad_area, .ad, .ads, .advertisement, ins.adsbygoogle, [id^=div-gpt-ad], [class^=ad_], [class^=ad-]",
    "copyright": "[class*=copyright], [class*=Copyright]",
    "promotion": ".related, .related_news, [class*=relate], [class*=subscribe], [class*=recommend]",
}
_FRAMES = frozenset({"html", "body", "article", "main"})
_LONGEST = 1_000
"""Characters of a piece that may be pruned by its class name alone: the class of a longer one may be chance."""
_TIMES = "time[datetime], [itemprop=datePublished]"
_DATED = "[class*=date], [class*=time], [id*=date], .byline, .info, .article_info, .view_info, header"
_SHORT = 200
"""Characters of a line that may be one with the date in it: longer ones are text."""


def read(page: etree._Element, url: str) -> Extracted:
    """The article on a page.

    Raises:
        NotAnArticle: when the page has no title, no time or no body.
    """
    said = metadata.read(page)
    title = _title(page, said)
    if not title:
        raise NotAnArticle(f"{NAME}: no title in JSON-LD, OpenGraph, h1 or title")
    published = said.published or _time(page)
    if published is None:
        raise NotAnArticle(f"{NAME}: no time in JSON-LD, OpenGraph, a time element or a line with a date")
    address = own_address(page, url)
    removed = _prune(page)
    text = _body(page, said)
    if not text:
        raise NotAnArticle(f"{NAME}: no body was found")
    return Extracted(
        url=address,
        title=title,
        text=_without_title(text, title),
        press=said.press,
        section=said.section,
        byline=said.byline,
        published=published,
        layout=NAME,
        modified=said.modified,
        removed=removed,
    )


def _title(page: etree._Element, said: metadata.Metadata) -> str:
    title = said.title or first(page, "h1") or first(page, "title")
    # `제목 - 매체`, `제목 | 매체`: the site's name is no part of the headline.
    return re.sub(rf"\s+[-|:<·–—]\s+{re.escape(said.press)}$", "", title) if said.press else title


def _time(page: etree._Element) -> datetime | None:
    for element in select(page, _TIMES):
        stamp = element.get("datetime") or element.get("content") or seen(element)
        if moment := machine_time(stamp):
            return moment
    for element in select(page, _DATED):
        line = seen(element)
        if len(line) <= _SHORT and (moment := time_within(line)):
            return moment
    return None


def _prune(page: etree._Element) -> tuple[Removed, ...]:
    """Takes out of the page what is no text of an article; answers the pieces that had text."""
    reasons = {element: reason for reason, css in _DROP.items() for element in select(page, css)}
    removed: list[Removed] = []
    for element, reason in reasons.items():
        text = seen(element)
        if any(above in reasons for above in element.iterancestors()) or element.tag in _FRAMES or len(text) > _LONGEST:
            continue
        if text:
            removed.append(Removed(reason, text))
        element.drop_tree()
    return tuple(removed)


def _body(page: etree._Element, said: metadata.Metadata) -> str:
    try:
        document = trafilatura.bare_extraction(page, include_comments=False, include_tables=True, with_metadata=False)
    except RecursionError as error:
        raise NotAnArticle(f"{NAME}: nested too deeply") from error
    text = getattr(document, "text", None) or said.body
    return "\n".join(line for raw in text.splitlines() if (line := " ".join(raw.split())))


def _without_title(text: str, title: str) -> str:
    """The text without the headline, where the body begins with it."""
    head, _, rest = text.partition("\n")
    return rest if rest and head.lstrip("# ") == title else text
