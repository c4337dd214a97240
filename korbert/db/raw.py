"""Pages as they were fetched, kept so that a better extractor can read them again without asking the site.

A page's bytes lie compressed in Postgres, or in a WARC file that the row points into. The same bytes of the same
article are kept once, with the time they were seen last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import zstandard
from psycopg2 import Binary
from psycopg2.extras import Json, execute_values

from korbert.db import takedowns
from korbert.db.connection import Connection, Cursor, transaction
from korbert.db.takedowns import WarcRecord
from korbert.errors import UsageError

LEVEL = 3
"""zstd's default: a page of 90 kB takes 0.3 ms and a sixth of its size; level 19 would save a tenth more in 50 times
the time."""
MAX_BYTES = 64 * 2**20
"""A frame that says it is larger was not written by us (the crawler takes answers up to 8 MiB)."""
PAGE = 100
"""Rows a statement: they are tens of kilobytes each."""


@dataclass(frozen=True)
class RawPage:
    """One answer of a site, and what was made of it."""

    source: str
    native_id: str
    """Of the article that the address belongs to."""
    publisher: str
    """Key of the crawler's sources."""
    url: str
    """Where the answer came from, after redirects."""
    fetched_at: datetime
    status: int
    headers: Mapping[str, str]
    """Those that matter for reading the body and for rights, names in lower case."""
    body: bytes
    parser: str
    """Version of the extractor that read it."""
    layout: str
    """The layout that fitted; empty: the page could not be read."""
    licence: str
    may_train: bool
    """By the rights it was fetched under; the page's own refusal is in its body and headers."""
    evidence: str

    @cached_property
    def sha256(self) -> str:
        """Of the body."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class StoredPage:
    """A raw page's row."""

    id: int
    page: RawPage


WriteFile = Callable[[Sequence[RawPage]], Sequence[WarcRecord]]
ReadFile = Callable[[WarcRecord], bytes]


def store(cursor: Cursor, pages: Sequence[RawPage], write: WriteFile | None = None) -> int:
    """Keeps the pages in the caller's transaction; answers how many were new. What was taken down is left out.

    With `write`, which must have flushed the records to disk when it returns, the bytes go into files.
    """
    new = _new(cursor, pages)
    places = write(new) if write and new else ()
    rows = [_row(page, places[index] if places else None) for index, page in enumerate(new)]
    execute_values(
        cursor,
        "INSERT INTO raw_page (source, native_id, publisher, url, fetched_at, status, headers, sha256, bytes, content, "
        "warc_file, warc_offset, warc_length, parser, layout, licence, may_train, evidence) VALUES %s "
        "ON CONFLICT (source, native_id, sha256) DO NOTHING",
        rows,
        page_size=PAGE,
    )
    return len(new)


def outdated(
    connection: Connection,
    source: str,
    parser: str,
    *,
    after: str = "",
    layout: str | None = None,
    batch: int = PAGE,
    read: ReadFile | None = None,
) -> list[StoredPage]:
    """The newest pages of articles that another extractor than `parser` read last, by native id from beyond `after`.

    `layout` limits them to those that it fitted (empty: to those that none did).

    Raises:
        UsageError: when a page lies in a file and there is no `read`.
        WorldError: when the database is lost.
    """
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT * FROM (SELECT DISTINCT ON (native_id) id, source, native_id, publisher, url, fetched_at, status, "
            "headers, content, warc_file, warc_offset, warc_length, parser, layout, licence, may_train, evidence "
            "FROM raw_page WHERE source = %(source)s AND native_id > %(after)s "
            "ORDER BY native_id, fetched_at DESC, id DESC) AS newest "
            "WHERE parser <> %(parser)s AND (%(layout)s::text IS NULL OR layout = %(layout)s) "
            "ORDER BY native_id LIMIT %(batch)s",
            {"source": source, "after": after, "parser": parser, "layout": layout, "batch": batch},
        )
        return [_stored(row, read) for row in cursor.fetchall()]


def set_read(cursor: Cursor, id_: int, parser: str, layout: str) -> None:
    """Records which extractor read the page last, and the layout that fitted."""
    cursor.execute("UPDATE raw_page SET parser = %s, layout = %s WHERE id = %s", (parser, layout, id_))


def counts(connection: Connection, parser: str) -> dict[str, tuple[int, int]]:
    """Source to (pages kept, of them last read by another extractor than `parser`)."""
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT source, count(*), count(*) FILTER (WHERE parser <> %s) FROM raw_page GROUP BY source "
            "ORDER BY source",
            (parser,),
        )
        return {source: (kept, old) for source, kept, old in cursor.fetchall()}


def _new(cursor: Cursor, pages: Sequence[RawPage]) -> list[RawPage]:
    """Those that are neither kept yet, nor twice in `pages`, nor taken down; the kept ones' time is brought up."""
    distinct = {(page.source, page.native_id, page.sha256): page for page in pages}
    batch = [distinct[key] for key in sorted(distinct)]
    if takedowns.hold_off(cursor):
        away = takedowns.refused(cursor, [(p.source, p.native_id, p.url, "", "") for p in batch])
        batch = [page for index, page in enumerate(batch) if index not in away]
    if not batch:
        return []
    kept = execute_values(
        cursor,
        "UPDATE raw_page AS page SET fetched_at = greatest(page.fetched_at, seen.at) "
        "FROM (VALUES %s) AS seen (source, native_id, sha256, at) WHERE page.source = seen.source "
        "AND page.native_id = seen.native_id AND page.sha256 = seen.sha256 "
        "RETURNING page.source, page.native_id, page.sha256",
        [(page.source, page.native_id, page.sha256, page.fetched_at) for page in batch],
        template="(%s, %s, %s, %s::timestamptz)",
        page_size=1000,
        fetch=True,
    )
    known = set(kept)
    return [page for page in batch if (page.source, page.native_id, page.sha256) not in known]


def _row(page: RawPage, place: WarcRecord | None) -> tuple[Any, ...]:
    content = None if place else Binary(zstandard.compress(page.body, LEVEL))
    where = (place.file, place.offset, place.length) if place else (None, None, None)
    return (
        page.source, page.native_id, page.publisher, page.url, page.fetched_at, page.status, Json(dict(page.headers)),
        page.sha256, len(page.body), content, *where, page.parser, page.layout, page.licence, page.may_train,
        page.evidence,
    )  # fmt: skip


def _stored(row: tuple[Any, ...], read: ReadFile | None) -> StoredPage:
    id_, source, native_id, publisher, url, at, status, headers, content, *place = row[:12]
    if content is not None:
        body = zstandard.decompress(bytes(content), max_output_size=MAX_BYTES)
    elif read is not None:
        body = read(WarcRecord(*place))
    else:
        raise UsageError(
            f"raw page of {source}/{native_id}: lies in WARC file {place[0]}; name its folder with --raw-folder"
        )
    return StoredPage(id_, RawPage(source, native_id, publisher, url, at, status, headers, body, *row[12:]))
