"""Naver's list pages by section and day: numbered pages in EUC-KR, then pages that name the next one by a cursor."""

from __future__ import annotations

from datetime import date

from crawler.discovery.lists import CursorList, NumberedList
from crawler.publishers import naver, naver_rights
from crawler.publishers.source import Politeness, Source

CHANGED = date(2023, 1, 1)
"""Days before are read from the older lists. The year is known from crawlers that had to change; the day is assumed."""

SECTIONS = (
    *(f"100/{sid2}" for sid2 in (264, 265, 266, 267, 268, 269)),
    *(f"101/{sid2}" for sid2 in (258, 259, 260, 261, 262, 263, 310, 771)),
    *(f"102/{sid2}" for sid2 in (249, 250, 251, 252, 254, 255, 256, 257, 276, "59b")),
    *(f"103/{sid2}" for sid2 in (237, 238, 239, 240, 241, 242, 243, 244, 245, 248, 376)),
    *(f"104/{sid2}" for sid2 in (231, 232, 233, 234, 322)),
    *(f"105/{sid2}" for sid2 in (226, 227, 228, 229, 230, 283, 731, 732)),
)
"""Politics, economy, society, life and culture, world, IT and science, with their subsections (codes as public crawlers
of 2019 to 2026 use them). Sports (107) and entertainment (106) have lists on hosts of their own, which are not read:
their articles come by search."""

SOURCE = Source(
    name="naver_lists",
    hosts=("news.naver.com", *naver.ARTICLE_HOSTS),
    discoveries=(
        NumberedList(
            address="https://news.naver.com/main/list.naver?mode=LS2D&mid=sec&sid1={sid1}&sid2={sid2}&date={day}&page={page}",
            sections=SECTIONS,
            # Each row links twice, with its picture and with its headline.
            listed="ul.type06_headline dt a, ul.type06 dt a, ul.type02 a, ul.type13 a",
            shown="div.paging strong",
            others="div.paging a",
            charset="cp949",
            until=CHANGED,
        ),
        CursorList(
            address="https://news.naver.com/section/template/SECTION_ARTICLE_LIST_FOR_LATEST?sid={sid1}&sid2={sid2}"
            "&cluid=&pageNo={page}&date={day}&next={cursor}",
            sections=SECTIONS,
            component="SECTION_ARTICLE_LIST_FOR_LATEST",
            listed="li.sa_item a.sa_text_title",
            holder=".section_latest_article",
            since=CHANGED,
        ),
    ),
    articles=naver.ARTICLES,
    layouts=naver.LAYOUTS,
    rights=naver_rights.PAGES,
    politeness=Politeness(delay=1.0),
)
