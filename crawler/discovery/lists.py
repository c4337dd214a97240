"""List pages: of a month with a link to the next page, of a section's day by number, of a section's day by cursor."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin

from parsel import Selector

from crawler.discovery.protocol import Answer, ApiRefusal, Call, Credentials, Found, Scope, UnreadablePage
from crawler.discovery.search_api import articles
from crawler.discovery.windows import days, months
from korbert.db.ledger import SliceKey
from korbert.errors import UsageError

if TYPE_CHECKING:
    # The sources are made of what is defined here.
    from crawler.publishers.source import Source

MAX_PAGES = 1000
"""List pages of one section's day at most: a list that goes on after that is a loop, and the slice is capped."""


@dataclass(frozen=True)
class _Pages:
    """What lists have in common: they cost nothing but politeness."""

    @property
    def paid(self) -> bool:
        return False

    def refusal(self, status: int, body: bytes) -> ApiRefusal:
        """Lists are pages: their errors are those of HTTP."""
        return ApiRefusal(status, "", "")


@dataclass(frozen=True)
class MonthList(_Pages):
    """Slices `list`: one page of a month's articles, which links to the next one."""

    address: str
    """`{month}` (YYYY-MM) and `{page}` (from 1) are filled in."""
    listed: str
    """CSS selector of the links to articles."""
    following: str
    """CSS selector of the link to the next page."""
    kind: str = "list"

    def first_slices(self, scope: Scope) -> list[SliceKey]:
        """Page 1 of every month."""
        return [SliceKey(scope.source, self.kind, month=month) for month in months(scope.since, scope.until)]

    def call(self, scope: Scope, key: SliceKey, credentials: Credentials) -> Call:
        """The page's address."""
        return Call(scope.at(self.address.format(month=key.month, page=key.page)))

    def read(self, answer: Answer, scope: Scope, key: SliceKey, source: Source) -> Found:
        """The links of a list page, and the next page if the page links to one.

        Raises:
            UnreadablePage: when the page is empty.
        """
        page = _page(answer.text)
        links = _links(page, self.listed, answer.url)
        more = bool(page.css(self.following)) and bool(links)
        return _found(links, source, replace(key, page=key.page + 1) if more else None)


@dataclass(frozen=True)
class NumberedList(_Pages):
    """Slices `list`: one page of a section's day, by number. A page past the end shows the last one again."""

    address: str
    """`{sid1}`, `{sid2}`, `{day}` (YYYYMMDD) and `{page}` (from 1) are filled in."""
    sections: tuple[str, ...]
    """`sid1/sid2`."""
    listed: str
    shown: str
    """CSS selector of the number of the page that is shown."""
    others: str
    """CSS selector of the links to other pages."""
    charset: str
    """Of pages that are not UTF-8: a superset of what they name (cp949 holds all of EUC-KR and more)."""
    until: date
    """The first day that is not listed here."""
    kind: str = "list"

    def first_slices(self, scope: Scope) -> list[SliceKey]:
        """Page 1 of every day and section before `until`."""
        last = min(scope.until, date.fromordinal(self.until.toordinal() - 1))
        chosen = chosen_sections(scope, self.sections)
        return [SliceKey(scope.source, self.kind, s, day) for day in days(scope.since, last) for s in chosen]

    def call(self, scope: Scope, key: SliceKey, credentials: Credentials) -> Call:
        """The page's address."""
        return Call(scope.at(self.address.format(**_section(key), page=key.page)))

    def read(self, answer: Answer, scope: Scope, key: SliceKey, source: Source) -> Found:
        """The links of the page, and the next one if there is one; nothing of a page that was shown before.

        Raises:
            UnreadablePage: when the page is empty, or lists articles but does not say which page it is.
        """
        page = _page(decoded(answer.body, self.charset))
        links = _links(page, self.listed, answer.url)
        if not links:
            return _found([], source, None)
        number = "".join(page.css(self.shown).xpath("string()").getall()[:1]).strip()
        if not number.isdecimal():
            raise UnreadablePage(f"the list page has no page number at {self.shown}")
        if int(number) < key.page:
            return _found([], source, None)
        numbers = [int(n) for link in page.css(self.others).xpath("@href").getall() for n in _PAGE.findall(link)]
        return _found(links, source, replace(key, page=key.page + 1) if max(numbers, default=0) > key.page else None)


@dataclass(frozen=True)
class CursorList(_Pages):
    """Slices `section`: one page of a section's day, each naming the cursor of the next one."""

    address: str
    """`{sid1}`, `{sid2}`, `{day}` (YYYYMMDD), `{page}` and `{cursor}` are filled in."""
    sections: tuple[str, ...]
    component: str
    """Name under `renderedComponent` in the answer's JSON; its value is HTML."""
    listed: str
    holder: str
    """CSS selector of the element with `data-cursor` and `data-has-next`."""
    since: date
    """The first day that is listed here."""
    kind: str = "section"

    def first_slices(self, scope: Scope) -> list[SliceKey]:
        """Page 1 of every day and section from `since` on."""
        chosen = chosen_sections(scope, self.sections)
        first = max(scope.since, self.since)
        return [SliceKey(scope.source, self.kind, s, day) for day in days(first, scope.until) for s in chosen]

    def call(self, scope: Scope, key: SliceKey, credentials: Credentials) -> Call:
        """The page's address. Without a cursor it is the first page, whatever its number says."""
        fields = {**_section(key), "page": key.page, "cursor": quote(key.cursor, safe="")}
        return Call(scope.at(self.address.format(**fields)))

    def read(self, answer: Answer, scope: Scope, key: SliceKey, source: Source) -> Found:
        """The links of the page, and the next one if the page names a cursor that it was not asked with.

        Raises:
            UnreadablePage: when it is not the JSON that it should be, or lists articles but has no such holder.
        """
        html = self._component(answer.body)
        page = _page(html) if html.strip() else Selector(text="<p></p>", type="html")
        links = _links(page, self.listed, answer.url)
        if not links:
            return _found([], source, None)
        holder = page.css(self.holder)
        if not holder:
            raise UnreadablePage(f"the section's list has nothing at {self.holder}")
        cursor = (holder[0].attrib.get("data-cursor") or "").strip()
        # Absent on some pages: then only the cursor decides, and a list that has ended is one empty page more.
        ended = holder[0].attrib.get("data-has-next", "true").strip().lower() == "false"
        more = bool(cursor) and not ended and cursor != key.cursor
        return _found(links, source, replace(key, page=key.page + 1, cursor=cursor) if more else None)

    def _component(self, body: bytes) -> str:
        try:
            html = json.loads(body)["renderedComponent"][self.component]
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadablePage(f"the section's list cannot be read ({type(error).__name__}: {error})") from error
        if not isinstance(html, str):
            raise UnreadablePage(f"the section's list cannot be read ({self.component} is no text)")
        return html


_PAGE = re.compile(r"[?&]page=(\d{1,6})\b")


def chosen_sections(scope: Scope, sections: Sequence[str]) -> list[str]:
    """The crawl's sections, or all; a main section (`101`) stands for all of its subsections.

    Raises:
        UsageError: for a section that the source does not have.
    """
    if not scope.sections:
        return list(sections)
    chosen = []
    for wanted in scope.sections:
        matching = [s for s in sections if s == wanted or s.startswith(f"{wanted}/")]
        if not matching:
            rule = f"has none of that name; it has: {', '.join(sections)}"
            raise UsageError(f"crawl.sections = {wanted!r}: {scope.source} {rule}")
        chosen += matching
    return list(dict.fromkeys(chosen))


def decoded(body: bytes, charset: str) -> str:
    """The text of a page that is in UTF-8 or else in `charset`; bytes that it does not have are replaced.

    UTF-8 is tried first, because no Korean text in EUC-KR happens to be valid UTF-8 over a whole page.
    """
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode(charset, "replace")


def _section(key: SliceKey) -> dict[str, str]:
    sid1, _, sid2 = key.query.partition("/")
    return {"sid1": sid1, "sid2": sid2, "day": key.month.replace("-", "")}


def _page(html: str) -> Selector:
    if not html.strip():
        raise UnreadablePage("the list page is empty")
    return Selector(text=html, type="html")


def _links(page: Selector, css: str, url: str) -> list[str]:
    return [urljoin(url, link.strip()) for link in page.css(css).xpath("@href").getall()]


def _found(links: Sequence[str], source: Source, following: SliceKey | None) -> Found:
    """What a list page holds. The title and the picture of one article are two links: distinct ones are counted."""
    if following and following.page > MAX_PAGES:
        return Found(articles(links, source), capped=True, seen=len(set(links)))
    return Found(articles(links, source), following=(following,) if following else (), seen=len(set(links)))
