"""Kept pages read again by today's extractor, without a request to anyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crawler import warcs
from crawler.fetching import FetchFailed, Reader, Skipped
from crawler.pages import parser, response_of
from crawler.publishers import SOURCES
from crawler.publishers.rights import Grant
from crawler.publishers.source import Source
from korbert.db import articles, raw
from korbert.db.articles import Article
from korbert.db.connection import Connection, transaction
from korbert.db.raw import RawPage, ReadFile, StoredPage
from korbert.db.takedowns import WarcRecord
from korbert.errors import WorldError
from korbert.progress import Meter

BATCH = 100
"""Pages a transaction: an interruption repeats at most so many, with the same result."""


@dataclass(frozen=True)
class Reparsed:
    """What reading again brought."""

    new: int = 0
    """Articles of pages that nobody could read before."""
    changed: int = 0
    unchanged: int = 0
    unreadable: int = 0
    refused: int = 0
    """Taken down, so not stored."""

    def __add__(self, other: Reparsed) -> Reparsed:
        return Reparsed(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


def reparse(
    connection: Connection,
    source: str,
    *,
    layout: str | None = None,
    raw_folder: Path | None = None,
    progress: Meter | None = None,
    sources: Mapping[str, Source] = SOURCES,
    version: str = "",
) -> Reparsed:
    """Reads the newest kept page of each article of the source that another extractor read last.

    `layout` limits it to pages that this layout fitted then (empty: to those that none did). A page is marked as read
    in the transaction that stores what it gave, so that an interrupted call goes on where it was. `version` names the
    extractor; by itself it is the digest of its code.

    Raises:
        UsageError: when pages lie in WARC files and `raw_folder` is not named.
        WorldError: when the database or a WARC file is lost.
    """
    version = version or parser()
    total, after = Reparsed(), ""
    read: ReadFile | None = partial(_body, raw_folder) if raw_folder else None
    while pages := raw.outdated(connection, source, version, after=after, layout=layout, batch=BATCH, read=read):
        total += _batch(connection, pages, sources, version)
        after = pages[-1].page.native_id
        if progress:
            progress.advance(len(pages), f"{total.new + total.changed:,} new or changed")
    return total


def _batch(connection: Connection, pages: list[StoredPage], sources: Mapping[str, Source], version: str) -> Reparsed:
    results = [_article(stored.page, sources) for stored in pages]
    made = [article for article, _ in results if article is not None]
    with transaction(connection) as cursor:
        counts = articles.store(cursor, made)
        for stored, (_, layout) in zip(pages, results, strict=True):
            raw.set_read(cursor, stored.id, version, layout)
    return Reparsed(counts.new, counts.changed, counts.unchanged, len(pages) - len(made), counts.refused)


def _article(page: RawPage, sources: Mapping[str, Source]) -> tuple[Article | None, str]:
    """The article, under the rights it was fetched with, and the layout that fitted; None and empty for none."""
    if page.publisher not in sources:
        return None, ""
    reader = Reader(sources[page.publisher], page.source, Grant(page.licence, page.may_train, page.evidence))
    try:
        return reader.read(page.native_id, page.url, response_of(page))
    except (Skipped, FetchFailed):
        return None, ""


def _body(folder: Path, place: WarcRecord) -> bytes:
    """The record's body; nothing where its bytes are damaged, so that the page counts as unreadable.

    Raises:
        WorldError: when the file is not there.
    """
    try:
        return warcs.read(folder, place)
    except WorldError:
        if not (folder / place.file).is_file():
            raise
        return b""
