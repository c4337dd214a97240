"""A page's own refusal of AI training: robots tags, TDMRep, a sentence beside the copyright. Pure.

noai and noimageai are the tags of DeviantArt's proposal of 2022, tdm-reservation is W3C's TDMRep of 2024; Korean
publishers print `무단 전재-재배포, AI 학습 및 활용 금지`. In doubt the page has refused: an article less is no harm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from crawler.extract.elements import line, select, string
from crawler.extract.metadata import metas

_TAGS = re.compile(r"\b(noai|noimageai)\b", re.IGNORECASE)
_AI = r"(?:(?:생성형\s*)?(?:AI|A\.I\.|인공\s*지능))"
_FORBIDS = re.compile(
    # AI 학습 및 활용 금지, AI학습 이용 금지, 인공지능(AI) 학습 데이터 수집·이용을 금지
    rf"{_AI}\s*(?:\(AI\)\s*)?(?:\S{{0,3}}\s)?(?:학습|데이터|활용|이용|훈련|트레이닝)[^.。\n<>]{{0,30}}?"
    # A notice ends there or speaks formally; news of a ban goes on: 금지하는, 금지해, 금지한다.
    r"(?:(?:금지|불허|거부)(?:합니다|함|됩니다)?|금합니다|허용하지\s*않습니다)(?![가-힣])"
    # 무단 전재·재배포·AI 학습 이용을 금합니다 is above; for AI training ... prohibited
    r"|(?:AI|machine learning|artificial intelligence)[\s-]*(?:training|learning|model)[^.\n]{0,60}"
    r"(?:prohibited|forbidden|not (?:allowed|permitted))",
    re.IGNORECASE,
)
_MARK = re.compile(
    r"[ⓒ©]|\(c\)|저작권|무단\s*(?:전재|복제|배포|수집|이용)|copyright|all rights reserved", re.IGNORECASE
)
_FOOTERS = ".copyright, footer, address, [class*=copyright], [class*=Copyright], [id*=copyright], [id=footer], .footer"
# A text node that can be part of such a sentence.
_CANDIDATES = etree.XPath(
    "//*[not(self::script or self::style)]/text()[contains(., '금지') or contains(., '금합니다') or contains(., '불허')"
    " or contains(., '않') and contains(., '저작권') or contains(., 'prohibited')]/.."
)
_INLINE = frozenset({"a", "b", "em", "font", "i", "small", "span", "strong", "u"})
_LONGEST_NOTE = 600


def refusal(page: etree._Element, headers: Mapping[str, str]) -> str:
    """The refusal, quoted; empty: there is none. `headers` by their names in lower case."""
    named = metas(page)
    for tag in [headers.get("x-robots-tag", ""), *named.get("robots", ())]:
        if _TAGS.search(tag):
            return f"robots: {tag.strip()[:100]}"
    reserved = [headers.get("tdm-reservation", ""), *named.get("tdm-reservation", ())]
    if any(one.strip() == "1" for value in reserved for one in value.split(",")):
        return "tdm-reservation: 1"
    return _footer(page)


def _footer(page: etree._Element) -> str:
    notes = ((string(note), True) for note in select(page, _FOOTERS))
    lines = ((_whole(element), False) for element in _CANDIDATES(page))
    for note, sure in (*notes, *lines):
        # Outside a footer only a copyright notice counts: news about such bans is news.
        if (found := _FORBIDS.search(note)) and (sure or (len(note) <= _LONGEST_NOTE and _MARK.search(note))):
            return f"footer: {line(found.group())}"
    return ""


def _whole(element: etree._Element) -> str:
    """The text of an element; of its parent, where it is a piece of a line."""
    parent = element.getparent()
    return string(parent if element.tag in _INLINE and parent is not None else element)
