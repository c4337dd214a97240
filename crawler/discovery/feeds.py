"""A site's own lists for robots: sitemaps (sitemaps.org 0.9, news, indexes, gzip, plain text), RSS and Atom."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from lxml import etree

from crawler.discovery.protocol import Answer, ApiRefusal, Call, Credentials, Found, Scope, UnreadablePage
from crawler.discovery.search_api import articles
from crawler.extract.times import machine_time
from korbert.db.article import KST
from korbert.db.ledger import SliceKey

if TYPE_CHECKING:
    # The sources are made of what is defined here.
    from crawler.publishers.source import Source

LARGEST = 64 << 20
"""Bytes of a feed, decompressed: sitemaps.org allows 50 MB."""
ARTICLES_A_SLICE = 500
"""A sitemap may name 50,000 addresses: too many for one transaction."""
DEEPEST = 4
"""Levels of indexes: sitemaps.org allows one."""


@dataclass(frozen=True)
class Entry:
    """One address that a feed names."""

    url: str
    published: date | None
    """Day (of Korea) of publication; None: the feed does not say."""
    modified: date | None


@dataclass(frozen=True)
class Listing:
    """What a feed names."""

    pages: tuple[Entry, ...]
    feeds: tuple[Entry, ...]
    """Of an index: the sitemaps it names."""


@dataclass(frozen=True)
class Feeds:
    """Slices `feed`: a part of a feed. The query is its address, the cursor the depth at which an index named it."""

    addresses: tuple[str, ...] = ("/sitemap.xml",)
    """Paths or addresses that the crawl begins with, unless its queries name others."""
    kind: str = "feed"

    @property
    def paid(self) -> bool:
        return False

    def first_slices(self, scope: Scope) -> list[SliceKey]:
        """The first part of every feed: of the crawl's queries that are addresses or paths, else of `addresses`."""
        given = [q.strip() for q in scope.queries if q.strip().startswith(("/", "http://", "https://"))]
        return [SliceKey(scope.source, self.kind, query=scope.at(feed)) for feed in given or self.addresses]

    def call(self, scope: Scope, key: SliceKey, credentials: Credentials) -> Call:
        """The feed's address: every part is read from the whole."""
        return Call(scope.at(key.query))

    def read(self, answer: Answer, scope: Scope, key: SliceKey, source: Source) -> Found:
        """The articles of one part, those of other days left out; the next part and, with the first, an index's feeds.

        An entry without a day is kept: its page has one. An index too deep down is capped.

        Raises:
            UnreadablePage: when it is no feed.
        """
        listing = parsed(answer.body, answer.url)
        pages = [entry.url for entry in listing.pages if _within(entry, scope)]
        begin = (key.page - 1) * ARTICLES_A_SLICE
        part = pages[begin : begin + ARTICLES_A_SLICE]
        following = [replace(key, page=key.page + 1)] if len(pages) > begin + ARTICLES_A_SLICE else []
        depth = int(key.cursor or 0) + 1
        feeds = [entry.url for entry in listing.feeds if _within(entry, scope)] if key.page == 1 else []
        if depth <= DEEPEST:
            following += [replace(key, query=feed, cursor=str(depth)) for feed in dict.fromkeys(feeds)]
        return Found(
            articles(part, source),
            total=None,
            following=tuple(following),
            capped=bool(feeds) and depth > DEEPEST,
            seen=len(part),
        )

    def refusal(self, status: int, body: bytes) -> ApiRefusal:
        """Feeds are pages: their errors are those of HTTP."""
        return ApiRefusal(status, "", "")


def parsed(body: bytes, url: str) -> Listing:
    """A feed of any of the formats, addresses made absolute and kept once; others' hosts are left out.

    Raises:
        UnreadablePage: when it is none, or too large.
    """
    data = _inflated(body).strip().removeprefix(b"\xef\xbb\xbf")
    if data[:1] != b"<":
        return _text(data, url)
    root = _xml(data)
    name = etree.QName(root).localname.lower()
    if name == "urlset":
        return Listing(_own((_sitemap_entry(e) for e in root.findall("{*}url")), url), ())
    if name == "sitemapindex":
        return Listing((), _own((_sitemap_entry(e) for e in root.findall("{*}sitemap")), url))
    if name in ("rss", "rdf"):
        return Listing(_own((_rss_entry(e) for e in root.iter("{*}item")), url), ())
    if name == "feed":
        return Listing(_own((_atom_entry(e) for e in root.findall("{*}entry")), url), ())
    raise UnreadablePage(f"the feed's root is <{name}>; it should be a sitemap, RSS or Atom")


def _inflated(body: bytes) -> bytes:
    """The feed, decompressed where it is gzip (`sitemap.xml.gz` comes as a file, not as an encoding)."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        with gzip.open(io.BytesIO(body)) as handle:
            data = handle.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadablePage(f"the feed's gzip is damaged ({error})") from error
    if len(data) > LARGEST:
        raise UnreadablePage(f"the feed passes {LARGEST} bytes")
    return data


def _xml(data: bytes) -> etree._Element:
    # recover: many feeds hold a bare & somewhere. Nothing outside is read; libxml2's own limits hold.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, remove_comments=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadablePage(f"the feed is no XML ({error})") from error
    if root is None:
        raise UnreadablePage("the feed is no XML")
    return root


def _text(data: bytes, url: str) -> Listing:
    """A sitemap as text: an address a line."""
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines or not all(line.startswith(("http://", "https://")) for line in lines):
        raise UnreadablePage("the feed is neither XML nor a list of addresses")
    return Listing(_own((Entry(line, None, None) for line in lines), url), ())


def _own(entries: Iterable[Entry], url: str) -> tuple[Entry, ...]:
    """Entries with absolute addresses on the feed's host, each once."""
    found: dict[str, Entry] = {}
    for entry in entries:
        try:
            address = urljoin(url, entry.url)
            same = urlsplit(address).netloc == urlsplit(url).netloc
        except ValueError:
            continue
        if entry.url and same:
            found.setdefault(address, replace(entry, url=address))
    return tuple(found.values())


def _sitemap_entry(element: etree._Element) -> Entry:
    news = _first(element, "{*}news/{*}publication_date")
    return Entry(_first(element, "{*}loc"), _day(news), _day(_first(element, "{*}lastmod")))


def _rss_entry(item: etree._Element) -> Entry:
    guid = item.find("{*}guid")
    permanent = guid is not None and guid.get("isPermaLink", "true") == "true" and _first(item, "{*}guid")
    link = _first(item, "{*}link") or (permanent or "")
    return Entry(link, _day(_first(item, "{*}pubDate") or _first(item, "{http://purl.org/dc/elements/1.1/}date")), None)


def _atom_entry(entry: etree._Element) -> Entry:
    links = [e for e in entry.findall("{*}link") if e.get("rel", "alternate") == "alternate"]
    link = links[0].get("href", "").strip() if links else ""
    return Entry(link, _day(_first(entry, "{*}published")), _day(_first(entry, "{*}updated")))


def _first(element: etree._Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _day(stamp: str) -> date | None:
    # W3C's format may end at the month or the year: then the day is not known.
    moment: datetime | None = machine_time(stamp) if len(stamp) >= len("2024-01-01") else None
    return moment.astimezone(KST).date() if moment else None


def _within(entry: Entry, scope: Scope) -> bool:
    """Whether what the entry says of its time allows that it is of the crawl's days."""
    if entry.published is not None:
        return scope.since <= entry.published <= scope.until
    # What was last changed before the first day was published before it.
    return entry.modified is None or entry.modified >= scope.since
