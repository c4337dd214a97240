"""An article page of any site: the body by the names that its markup gives it, else by trafilatura; what surrounds it
by the page's own metadata. Pure.

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
from crawler.extract.elements import first, own_address, paragraphs, seen, select
from crawler.extract.times import machine_time, time_within
from korbert.db.article import Removed

NAME = "generic"
_BODIES = (
    # schema.org's own name, then those of the content systems that most Korean newspapers run on.
    "[itemprop=articleBody]",
    "#article-view-content-div",
    "#articleBody, #articleBodyContents, #article_body, #articlebody, #newsEndContents, #dic_area, #news_body_area",
    ".article_view, .article-body, .article_body, .articleBody, .news_body, .article_txt, .article-text, .story-news",
    ".entry-content",
)
"""Where articles lie, the surest first."""
_WHOLE = 150
"""Characters of text that a body by name holds at least: a shorter one is an empty frame."""
_DROP = {
    "caption": "figcaption, .caption, .img_desc, .end_photo_org, .photo_caption, .img_caption, .desc_img",
    "advert": ".ad_area, .ad, .ads, .advertisement, ins.adsbygoogle, [id^=div-gpt-ad], [class^=ad_], [class^=ad-]",
    "copyright": "[class*=copyright], [class*=Copyright]",
    "byline": "[class*=eporter], [class*=journalist], [class*=writer], .byline, .author",
    "summary": "[class*=ummary], [class*=subtit], [class*=sub-tit], [class*=tit-sub], .subheading, [class*=pullquote]",
    "comments": "[class*=omment], [id*=omment], .alex-area",
    "promotion": "[class*=elated], [class*=relation], [class*=ubscribe], [class*=ecommend]",
    "widget": "button, form, [hidden], .blind, .sr-only, [class*=satisf], [class*=share], [class*=sns]",
}
_UNSEEN = {"widget": "script, style, noscript, iframe, template, svg"}
_FRAMES = frozenset({"html", "body", "article", "main"})
_LONGEST = 1_000
"""Characters of a piece that may be pruned by its class name alone: the class of a longer one may be chance."""
_CELL = 300
"""Characters of a cell that holds a page's part and not a table's: layout was made of tables once."""
_TIMES = "time[datetime], [itemprop=datePublished]"
_DATED = "[class*=date], [class*=time], [id*=date], .byline, .info, .article_info, .view_info, header"
_SHORT = 200
"""Characters of a line that may be one with the date in it: longer ones are text."""
_LEAD = 60
"""Characters of a line above the text that may be a section's name, a byline or a time."""


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
    text = _without_head(_named_body(page) or _found_body(page) or said.body, title, said)
    if not text:
        raise NotAnArticle(f"{NAME}: no body was found")
    return Extracted(
        url=address,
        title=title,
        text=text,
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
        if any(above in reasons for above in element.iterancestors()) or element.tag in _FRAMES:
            continue
        if len(text) > _LONGEST or select(element, "h1, " + ", ".join(_BODIES)):
            continue
        if text:
            removed.append(Removed(reason, text))
        element.drop_tree()
    return tuple(removed)


def _named_body(page: etree._Element) -> str:
    """The text of the longest element with the surest of the bodies' names; empty: there is none."""
    for css in _BODIES:
        texts = [paragraphs(element, _UNSEEN)[0] for element in select(page, css)]
        if texts and len(longest := max(texts, key=len)) >= _WHOLE:
            return longest
    return ""


def _found_body(page: etree._Element) -> str:
    _unwrap_tables(page)
    try:
        document = trafilatura.bare_extraction(page, include_comments=False, include_tables=True, with_metadata=False)
    except RecursionError as error:
        raise NotAnArticle(f"{NAME}: nested too deeply") from error
    text = getattr(document, "text", None) or ""
    return "\n".join(line for raw in text.splitlines() if (line := " ".join(raw.split())))


def _unwrap_tables(page: etree._Element) -> None:
    """Makes blocks of the tables that are layout."""
    cells = [cell for cell in page.iter("td") if len(seen(cell)) >= _CELL]
    tables = {table for cell in cells for table in cell.iterancestors("table")}
    for table in tables:
        for part in table.iter("table", "tbody", "tr", "td"):
            part.tag = "div"


def _without_head(text: str, title: str, said: metadata.Metadata) -> str:
    """The text without what stands above it: the headline and what is before it, section, byline, times."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    named = [i for i, line in enumerate(lines[:4]) if line.lstrip("# ") == title]
    lines = lines[named[0] + 1 :] if named else lines
    while lines and len(lines[0]) <= _LEAD and _is_label(lines[0], said):
        del lines[0]
    return "\n".join(line for line in lines if line)


def _is_label(line: str, said: metadata.Metadata) -> bool:
    return line in (said.section, said.byline, said.press) or (time_within(line) is not None and line[-1] not in ".다”")
