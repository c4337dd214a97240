"""What has to be forgotten: deleted everywhere in one transaction, and never stored again.

Storing transactions hold a lock that a takedown waits for, so that no article slips in between its deletion and the
word that it must not come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from korbert.db.connection import Connection, Cursor, transaction
from korbert.errors import UsageError

KINDS = ("url", "press", "id")

LOCK = 0x666F72676574  # "forget" in ASCII: the advisory lock's number, ours alone by chance

# An address holds its page_address: strpos is cheap, and decides for nearly all rows.
_ADDRESS = "strpos({0}, %(value)s) > 0 AND page_address({0}) = %(value)s"

_MATCHES = {
    "url": f"{_ADDRESS.format('url')} OR {_ADDRESS.format('canonical_url')}",
    "press": "press = %(value)s",
    "id": "native_id = %(value)s",
}

_REFUSED = """
WITH refused AS (
    SELECT n, source, native_id, coalesce(known.takedown_id, ordered.id) AS takedown_id
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
        WITH ORDINALITY AS asked (source, native_id, url, canonical, press, n)
    LEFT JOIN forgotten AS known USING (source, native_id)
    LEFT JOIN LATERAL (
        SELECT id FROM takedown AS t WHERE t.source IN ('', asked.source) AND (
            t.kind = 'url' AND t.value IN (page_address(asked.url), page_address(asked.canonical))
            OR t.kind = 'press' AND t.value = asked.press OR t.kind = 'id' AND t.value = asked.native_id
        ) ORDER BY id LIMIT 1
    ) AS ordered ON known.takedown_id IS NULL
    WHERE coalesce(known.takedown_id, ordered.id) IS NOT NULL
), named AS (
    INSERT INTO forgotten (source, native_id, takedown_id)
    SELECT DISTINCT ON (source, native_id) source, native_id, takedown_id FROM refused ORDER BY source, native_id
    ON CONFLICT DO NOTHING
)
SELECT n FROM refused
"""

Named = tuple[str, str, str, str, str]
"""What tells an article: source, native id, address, canonical address, press; unknown parts are empty."""


@dataclass(frozen=True)
class WarcRecord:
    """Where a raw page lies in a file."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True)
class Forgotten:
    """What a takedown deleted, and where what was made of it lies."""

    articles: int
    pages: int
    """Raw pages, those in WARC files included."""
    workspaces: tuple[str, ...]
    """Folders of the corpora that hold what was deleted, by any takedown since they were built."""


Erase = Callable[[Sequence[WarcRecord]], None]


def forget(
    connection: Connection, kind: str, value: str, *, source: str = "", reason: str = "", erase: Erase | None = None
) -> Forgotten:
    """Deletes what matches, in all revisions and raw pages, and records that it may not come back.

    `kind` is url, press or id, an empty `source` means all. `erase` overwrites raw pages in files; where it fails,
    nothing is deleted from the database, which goes on to name what is left to erase. The same call again deletes what
    was stored by code that knew nothing of takedowns, and otherwise changes nothing.

    Raises:
        UsageError: for an unknown kind or an empty value, or when there is no `erase` and pages lie in files.
        WorldError: when the database is lost; nothing was deleted then.
    """
    value = _checked(kind, value)
    with transaction(connection) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        takedown = _record(cursor, kind, value, source, reason)
        _mark_forgotten(cursor, takedown)
        pages = _delete_pages(cursor, takedown)
        sources = _delete_articles(cursor, takedown)
        _mark_corpora(cursor, takedown, sources)
        workspaces = _stale(cursor)
        if records := [WarcRecord(*page) for page in pages if page[0]]:
            if erase is None:
                raise UsageError(f"{len(records)} raw pages lie in WARC files; name their folder with --raw-folder")
            erase(records)
    return Forgotten(len(sources), len(pages), workspaces)


def matching(connection: Connection, kind: str, value: str, *, source: str = "") -> int:
    """How many articles `forget` would delete.

    Raises:
        UsageError: as `forget` does.
    """
    value = _checked(kind, value)
    shown = "page_address(%(value)s)" if kind == "url" else "%(value)s"
    with transaction(connection) as cursor:
        cursor.execute(
            f"SELECT count(*) FROM article WHERE ({_MATCHES[kind].replace('%(value)s', shown)}) "
            "AND %(source)s IN ('', source)",
            {"value": value, "source": source},
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _checked(kind: str, value: str) -> str:
    if kind not in KINDS:
        raise UsageError(f"takedown kind {kind!r}: must be one of: {', '.join(KINDS)}")
    if not value.strip():
        raise UsageError(f"takedown of {kind} {value!r}: is empty; name what is to be forgotten")
    return value.strip()


def hold_off(cursor: Cursor) -> bool:
    """Keeps takedowns waiting until the caller's transaction ends; answers whether there is any to be asked about."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s); SELECT EXISTS (SELECT FROM takedown)", (LOCK,))
    row = cursor.fetchone()
    assert row is not None
    return bool(row[0])


def refused(cursor: Cursor, batch: Sequence[Named]) -> set[int]:
    """Indices in `batch` of what a takedown forbids. Call it under `hold_off`.

    Each is noted as forgotten, so that it is known by its id from then on and not fetched to be refused again.
    """
    if not batch:
        return set()
    cursor.execute(_REFUSED, [list(column) for column in zip(*batch, strict=True)])
    return {int(row[0]) - 1 for row in cursor.fetchall()}


def register_corpus(connection: Connection, workspace: str, source: str) -> None:
    """Records that a corpus is about to be built in folder `workspace` of what is stored now. Call it before reading:
    a takedown while the corpus is built must find it."""
    with transaction(connection) as cursor:
        cursor.execute(
            "INSERT INTO built_corpus (workspace, source) VALUES (%s, %s) ON CONFLICT (workspace, source) "
            "DO UPDATE SET built_at = now(), stale_since = NULL",
            (workspace, source),
        )


def _record(cursor: Cursor, kind: str, value: str, source: str, reason: str) -> int:
    shown = "page_address(%s)" if kind == "url" else "%s"
    cursor.execute(
        f"INSERT INTO takedown (kind, source, value, reason) VALUES (%s, %s, {shown}, %s) "
        "ON CONFLICT (kind, value, source) DO UPDATE SET "
        "reason = coalesce(nullif(excluded.reason, ''), takedown.reason) RETURNING id",
        (kind, source, value, reason),
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _mark_forgotten(cursor: Cursor, takedown: int) -> None:
    """Names each article of the takedown, raw pages that were no article yet included."""
    cursor.execute("SELECT kind, value, source FROM takedown WHERE id = %s", (takedown,))
    row = cursor.fetchone()
    assert row is not None
    kind, value, source = row
    values = {"takedown": takedown, "value": value, "source": source}
    pages = {"url": _ADDRESS.format("url"), "press": "false", "id": "native_id = %(value)s"}
    cursor.execute(
        "INSERT INTO forgotten (source, native_id, takedown_id) "
        "SELECT source, native_id, %(takedown)s FROM ("
        f"SELECT source, native_id FROM article WHERE ({_MATCHES[kind]}) AND %(source)s IN ('', source) "
        f"UNION SELECT source, native_id FROM raw_page WHERE {pages[kind]} AND %(source)s IN ('', source)) AS matching "
        "ON CONFLICT (source, native_id) DO UPDATE SET takedown_id = excluded.takedown_id",
        values,
    )


def _delete_pages(cursor: Cursor, takedown: int) -> list[tuple[Any, ...]]:
    """Deletes the raw pages, and answers the place of each in a file, or nulls."""
    cursor.execute(
        "DELETE FROM raw_page AS page USING forgotten AS f WHERE f.takedown_id = %s AND f.source = page.source "
        "AND f.native_id = page.native_id RETURNING warc_file, warc_offset, warc_length",
        (takedown,),
    )
    return list(cursor.fetchall())


def _delete_articles(cursor: Cursor, takedown: int) -> list[str]:
    """Deletes the articles, their bodies with them, and answers the source of each."""
    cursor.execute(
        "DELETE FROM article USING forgotten AS f WHERE f.takedown_id = %s AND f.source = article.source "
        "AND f.native_id = article.native_id RETURNING article.source",
        (takedown,),
    )
    return [str(row[0]) for row in cursor.fetchall()]


def _mark_corpora(cursor: Cursor, takedown: int, sources: list[str]) -> None:
    cursor.execute("UPDATE takedown SET articles = articles + %s WHERE id = %s", (len(sources), takedown))
    cursor.execute(
        "UPDATE built_corpus SET stale_since = now() WHERE stale_since IS NULL AND source = ANY(%s)", (sources,)
    )


def _stale(cursor: Cursor) -> tuple[str, ...]:
    cursor.execute("SELECT DISTINCT workspace FROM built_corpus WHERE stale_since IS NOT NULL ORDER BY workspace")
    return tuple(str(row[0]) for row in cursor.fetchall())
