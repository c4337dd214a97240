"""How far work has come that is done in parts: a source's last whole crawl, a file's import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from korbert.db.connection import Connection, Cursor, transaction


def set_success(cursor: Cursor, source: str, started_at: datetime) -> None:
    """Records that a crawl begun at `started_at` came to its end with nothing failed. A later mark is never set back:
    of two crawls at once the older may end last."""
    cursor.execute(
        "INSERT INTO crawl_mark AS mark (source, succeeded_at) VALUES (%s, %s) "
        "ON CONFLICT (source) DO UPDATE SET succeeded_at = greatest(mark.succeeded_at, excluded.succeeded_at)",
        (source, started_at),
    )


def last_success(connection: Connection, source: str) -> datetime | None:
    """When the source's last whole crawl began; None when there was none."""
    with transaction(connection) as cursor:
        cursor.execute("SELECT succeeded_at FROM crawl_mark WHERE source = %s", (source,))
        row = cursor.fetchone()
    return row[0] if row else None


@dataclass(frozen=True)
class Imported:
    """How far a file has been imported."""

    position: int
    """The reader's: where it goes on; 0 is the file's beginning."""
    articles: int
    """Articles before that position."""


def imported(connection: Connection, source: str, file: str) -> Imported:
    """How far `file` (any name that stands for its content) has been imported into the source."""
    with transaction(connection) as cursor:
        cursor.execute("SELECT position, articles FROM import_mark WHERE source = %s AND file = %s", (source, file))
        row = cursor.fetchone()
    return Imported(*row) if row else Imported(0, 0)


def forget_import(connection: Connection, source: str, file: str) -> None:
    """Makes the next import of the file begin at its beginning."""
    with transaction(connection) as cursor:
        cursor.execute("DELETE FROM import_mark WHERE source = %s AND file = %s", (source, file))


def set_imported(cursor: Cursor, source: str, file: str, position: int, articles: int) -> None:
    """Records that everything before `position` is stored, `articles` more than before: in the transaction that stores
    them."""
    cursor.execute(
        "INSERT INTO import_mark AS mark (source, file, position, articles) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (source, file) DO UPDATE SET position = excluded.position, "
        "articles = mark.articles + excluded.articles, updated_at = now()",
        (source, file, position, articles),
    )
