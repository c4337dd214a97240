"""The newsroom's lists by section and day, in both generations of news.naver.com. Pure.

Before: numbered pages in EUC-KR; a page past the end shows the last one again. Since: JSON with HTML in it, 36 articles
a page; without the `next` that the page before named, the first page comes again.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from html import escape

from crawler.newsroom.articles import NewsArticle
from crawler.newsroom.pages import path_of

NUMBERED_PAGE = 20
CURSOR_PAGE = 36
CHARSET = "cp949"
COMPONENT = "SECTION_ARTICLE_LIST_FOR_LATEST"

SECTIONS: dict[str, tuple[str, ...]] = {
    "100": ("264", "265", "269"),
    "101": ("258", "259", "263"),
    "102": ("249", "257", "59b"),
    "103": ("241", "245"),
    "104": ("231", "322"),
    "105": ("226", "230"),
}
"""Sections and their subsections that something is printed in."""
_NAMES = {
    "정치": "100",
    "경제": "101",
    "문화": "103",
    "생활/문화": "103",
    "세계": "104",
    "국제": "104",
    "IT/과학": "105",
}
_SHOWN_PAGES = 10


def section_of(article: NewsArticle) -> tuple[str, str]:
    """Section and subsection of an article; what names none of them is society (102)."""
    sid1 = _NAMES.get(article.section, "102")
    return sid1, SECTIONS[sid1][zlib.crc32(article.id.encode()) % len(SECTIONS[sid1])]


class Lists:
    """All lists of a newsroom: the articles of each section and day, newest first."""

    def __init__(self, articles: Sequence[NewsArticle]) -> None:
        self._lists: dict[tuple[str, str, str], list[NewsArticle]] = {}
        for article in sorted(articles, key=lambda a: (-a.published.timestamp(), a.id)):
            key = (*section_of(article), f"{article.published:%Y%m%d}")
            self._lists.setdefault(key, []).append(article)

    def numbered(self, query: Mapping[str, str]) -> bytes:
        """The page `/main/list.naver?sid1=&sid2=&date=&page=`."""
        found = self._of(query, "sid1")
        last = max(1, -(-len(found) // NUMBERED_PAGE))
        page = min(_number(query.get("page", "1")), last)
        rows = found[(page - 1) * NUMBERED_PAGE : page * NUMBERED_PAGE]
        half = NUMBERED_PAGE // 2
        head, rest = (_numbered_rows(part) for part in (rows[:half], rows[half:]))
        html = (
            '<!DOCTYPE html>\n<html lang="ko"><head><meta charset="euc-kr"><title>네이버 뉴스</title></head>\n<body>'
            '<ul class="massmedia"><li><a href="/main/list.naver?mode=LPOD&amp;oid=001">언론사별</a></li></ul>\n'
            f'<div class="list_body newsflash_body"><ul class="type06_headline">{head}</ul>\n'
            f'<ul class="type06">{rest}</ul></div>\n{_paging(query, page, last) if found else ""}</body></html>\n'
        )
        return html.encode(CHARSET, "xmlcharrefreplace")

    def by_cursor(self, query: Mapping[str, str]) -> bytes:
        """The answer to `/section/template/SECTION_ARTICLE_LIST_FOR_LATEST?sid=&sid2=&date=&pageNo=&next=`."""
        found = self._of(query, "sid")
        # The cursor of a page is the last article's place in time; whatever pageNo says, nothing else moves on.
        begin = next((i + 1 for i, a in enumerate(found) if query.get("next") and _cursor(a) == query["next"]), 0)
        rows = found[begin : begin + CURSOR_PAGE]
        html = "".join(map(_cursor_row, rows))
        if rows:
            more = "true" if begin + CURSOR_PAGE < len(found) else "false"
            html = (
                f'<div class="section_latest_article _CONTENT_LIST _PERSIST_META" data-has-next="{more}" '
                f'data-cursor-name="next" data-cursor="{_cursor(rows[-1])}"><ul class="sa_list">{html}</ul></div>'
            )
        return json.dumps({"renderedComponent": {COMPONENT: html}}, ensure_ascii=False).encode()

    def _of(self, query: Mapping[str, str], section: str) -> list[NewsArticle]:
        return self._lists.get((query.get(section, ""), query.get("sid2", ""), query.get("date", "")), [])


def _numbered_rows(articles: Sequence[NewsArticle]) -> str:
    return "".join(
        f'<li><dl><dt class="photo"><a href="{escape(path_of(a))}"><img src="/photo.jpg" alt=""></a></dt>'
        f'<dt><a href="{escape(path_of(a))}">{escape(a.title)}</a></dt>'
        f'<dd><span class="writing">{escape(a.press)}</span></dd></dl></li>\n'
        for a in articles
    )


def _paging(query: Mapping[str, str], page: int, last: int) -> str:
    """Ten numbers, the shown one without a link, and one to the next ten."""
    first = (page - 1) // _SHOWN_PAGES * _SHOWN_PAGES + 1
    end = min(first + _SHOWN_PAGES - 1, last)
    base = "/main/list.naver?" + "&amp;".join(f"{n}={escape(query.get(n, ''))}" for n in ("sid1", "sid2", "date"))
    numbers = [
        f"<strong>{n}</strong>" if n == page else f'<a href="{base}&amp;page={n}" class="nclicks">{n}</a>'
        for n in range(first, end + 1)
    ]
    if end < last:
        numbers.append(f'<a href="{base}&amp;page={end + 1}" class="next nclicks">다음</a>')
    return f'<div class="paging">{"".join(numbers)}</div>\n'


def _cursor_row(article: NewsArticle) -> str:
    path, title = escape(path_of(article)), escape(article.title)
    return (
        f'<li class="sa_item _LAZY_LOADING_WRAP"><div class="sa_thumb"><a href="{path}"><img alt=""></a></div>'
        f'<div class="sa_text"><a href="{path}" class="sa_text_title"><strong>{title}</strong></a>'
        f'<div class="sa_text_press">{escape(article.press)}</div></div></li>'
    )


def _cursor(article: NewsArticle) -> str:
    return f"{article.published:%Y%m%d%H%M%S}{zlib.crc32(article.id.encode()):010d}"


def _number(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 7 else 1
