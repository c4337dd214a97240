"""Articles by COPY: the way of whole archives, with the same result as `articles.store`.

Its gain over the live path is small at article length: `korbert bench ingest` measures it.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from korbert.db import marks
from korbert.db.articles import Article, StoreCounts, allowed, prepare_months, removed_json, storable, store
from korbert.db.connection import Connection, Cursor, transaction
from korbert.progress import Meter

BATCH = 10_000
"""Articles a transaction: beyond it the rate does not rise, and an interrupted import loses at most so many."""
OWN_PARTITION = 1_000
"""Articles of one month in an import from which on the month gets a partition; a stray date gets none."""

COLUMNS = (
    "source", "native_id", "url", "press", "section", "published_at", "month", "content_sha256", "licence",
    "may_train", "evidence", "modified_at", "canonical_url", "opt_out",
)  # fmt: skip
BODY = ("title", "byline", "body", "removed")

_STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS staging (
    source text COLLATE "C", native_id text COLLATE "C", url text, press text, section text, published_at timestamptz,
    month date, content_sha256 text, licence text, may_train boolean, evidence text, modified_at timestamptz,
    canonical_url text, opt_out text, title text, byline text, body text, removed jsonb
) ON COMMIT DELETE ROWS
"""

_MERGE = f"""
WITH fresh AS (
    INSERT INTO article ({", ".join(COLUMNS)}) SELECT {", ".join(COLUMNS)} FROM staging
    ON CONFLICT (source, native_id) DO NOTHING RETURNING id, source, native_id
), bodies AS (
    INSERT INTO article_body (month, article_id, revision, {", ".join(BODY)})
    SELECT month, id, 1, {", ".join(BODY)} FROM fresh JOIN staging USING (source, native_id)
)
SELECT source, native_id FROM fresh
"""


@dataclass(frozen=True)
class Copied:
    """What an import found, in this and (`before`) in earlier calls."""

    counts: StoreCounts
    before: int
    """Articles of the file that earlier calls had read."""
    position: int
    """The reader's, after the last article."""


def copy_in(
    connection: Connection,
    articles: Iterable[tuple[int, Article]],
    *,
    source: str = "",
    file: str = "",
    batch: int = BATCH,
    progress: Meter | None = None,
) -> Copied:
    """Stores pairs of (position, article), `batch` a transaction, of which it holds one in memory.

    An article's position is where the reader goes on after it. With `file` (any name that stands for the file's
    content) the position is committed with the articles, and `marks.imported` answers it after an interruption.

    Raises:
        WorldError: when the database is lost; whole batches before that are stored.
    """
    new = changed = unchanged = refused = 0
    months: Counter[date] = Counter()
    before = marks.imported(connection, source, file) if file else marks.Imported(0, 0)
    position = before.position
    for part in _batched(articles, batch):
        position = part[-1][0]
        months.update(article.month for _, article in part)
        _prepare(connection, months)
        with transaction(connection) as cursor:
            counts = copy_batch(cursor, [article for _, article in part])
            if file:
                marks.set_imported(cursor, source, file, position, len(part))
        new, changed = new + counts.new, changed + counts.changed
        unchanged, refused = unchanged + counts.unchanged, refused + counts.refused
        if progress:
            progress.advance(len(part), f"{new:,} new")
    return Copied(StoreCounts(new, changed, unchanged, refused), before.articles, position)


def copy_batch(cursor: Cursor, articles: Iterable[Article]) -> StoreCounts:
    """Stores the articles in the caller's transaction, as `articles.store` does."""
    distinct = storable(articles)
    batch = allowed(cursor, distinct)
    cursor.execute(_STAGING)
    cursor.copy_expert(f"COPY staging ({', '.join(COLUMNS + BODY)}) FROM STDIN", _text(batch))
    cursor.execute(_MERGE)
    fresh = set(cursor.fetchall())
    # Those that were stored before may have changed: they are few, or the import is a repeated one.
    rest = store(cursor, [article for article in batch if (article.source, article.native_id) not in fresh])
    return StoreCounts(len(fresh), rest.changed, rest.unchanged, len(distinct) - len(batch))


def _batched(articles: Iterable[tuple[int, Article]], size: int) -> Iterator[list[tuple[int, Article]]]:
    iterator = iter(articles)
    while part := list(islice(iterator, size)):
        yield part


def _prepare(connection: Connection, months: Counter[date]) -> None:
    """Partitions for the months that turned out to be full; each is asked for once."""
    for month in [month for month, count in months.items() if count >= OWN_PARTITION]:
        prepare_months(connection, f"{month:%Y-%m}", f"{month:%Y-%m}")
        months[month] = -(10**18)


def _text(batch: list[Article]) -> io.StringIO:
    """The batch in COPY's text format."""
    lines = io.StringIO()
    for a in batch:
        fields = (
            a.source, a.native_id, a.url, a.press, a.section, a.published_at.isoformat(), a.month.isoformat(),
            a.content_sha256, a.licence, "t" if a.may_train else "f", a.evidence,
            a.modified_at.isoformat() if a.modified_at else None, a.canonical_url, a.opt_out, a.title, a.byline, a.text,
            removed_json(a),
        )  # fmt: skip
        lines.write("\t".join("\\N" if field is None else _escaped(field) for field in fields))
        lines.write("\n")
    lines.seek(0)
    return lines


def _escaped(field: str) -> str:
    # Four passes of memchr: str.translate takes several times as long on Korean text.
    return field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
