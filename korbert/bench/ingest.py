"""Bulk import by COPY beside multi-row INSERTs (`execute_values`, 1,000 rows a statement) of articles of the same kind.

Both write keys and texts into the same two tables of one Postgres, in turns, ours `SHARE` times as many rows. Making
the rows counts for both. The table grows from round to round, for both alike. The peer does less: it neither sees
changes of stored articles nor takedowns; the way that does, a crawl's own, is measured once beside them.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count, islice

from psycopg2.extras import execute_values

from korbert.bench.crawl import WORDS
from korbert.bench.measure import Measurement, alternate, machine, versions
from korbert.bench.scratch import scratch
from korbert.db.article import KST, Article
from korbert.db.articles import prepare_months, store
from korbert.db.bulk import copy_in
from korbert.db.connection import Connection, connect, transaction
from korbert.db.migrate import migrate
from korbert.errors import UsageError
from korbert.processes import peak_memory

ROWS = 1_000_000
"""Rows that COPY writes in all counted rounds."""
SHARE = 10
"""Rows of ours for one of the peer's."""
PAGE = 1_000
"""Rows a statement of the peer."""
_FIRST, _MONTHS = datetime(2020, 1, 1, 9, tzinfo=KST), 12
_TEXTS = 997
"""Different texts, a prime, so that they fall on all days; each row adds its own number."""


def measure(rounds: int, rows: int = ROWS) -> Measurement:
    """Imports `rows` generated articles by COPY, a share a round.

    Raises:
        UsageError: when there are fewer rows than would make a page of the peer's a round.
        WorldError: when no Postgres can be started.
    """
    least = rounds * SHARE
    if rows < least:
        raise UsageError(f"--size {rows}: must be at least {least}, {SHARE} a round")
    with _fresh_database() as connection:
        return _measure(connection, rounds, rows // rounds)


@contextlib.contextmanager
def _fresh_database() -> Iterator[Connection]:
    with scratch() as (_, url):
        connection = connect(url)
        try:
            migrate(connection)
            prepare_months(connection, "2020-01", f"2020-{_MONTHS:02d}")
            yield connection
        finally:
            connection.close()


def _measure(connection: Connection, rounds: int, rows: int) -> Measurement:
    before = peak_memory()
    rates = alternate(_copying(connection, rows), _inserting(connection, rows // SHARE), rounds)
    peak, live = peak_memory(), _storing(connection, rows // SHARE)
    return Measurement(
        name="ingest",
        peer_name="execute_values",
        unit="rows/s",
        ours=rates[0],
        peer=rates[1],
        machine=machine(),
        details={
            "rows": rows * rounds,
            "characters_a_row": round(sum(map(len, _texts())) / _TEXTS),
            "peer_rows": rows // SHARE * rounds,
            "peer_page_size": PAGE,
            "live_path_rows_a_second": round(live),
            "peak_memory_mb": round(peak / 2**20),
            "memory_before_mb": round(before / 2**20),
            "load": round(os.getloadavg()[0], 2),
            **versions("psycopg2-binary"),
        },
    )


def _copying(connection: Connection, rows: int) -> Callable[[], int]:
    numbered = enumerate(_articles("copied"), 1)
    return lambda: copy_in(connection, islice(numbered, rows)).counts.new


def _inserting(connection: Connection, rows: int) -> Callable[[], int]:
    articles = _articles("inserted")
    return lambda: _insert(connection, list(islice(articles, rows)))


def _storing(connection: Connection, rows: int) -> float:
    """Rows a second of a crawl's own way: revisions, details and takedowns minded, as COPY minds them."""
    articles = list(islice(_articles("stored"), rows))
    started = time.perf_counter()
    for start in range(0, rows, PAGE):
        with transaction(connection) as cursor:
            store(cursor, articles[start : start + PAGE])
    return rows / (time.perf_counter() - started)


def _insert(connection: Connection, articles: list[Article]) -> int:
    """The plain way: two statements a page, a transaction a page."""
    for start in range(0, len(articles), PAGE):
        page = articles[start : start + PAGE]
        with transaction(connection) as cursor:
            keys = execute_values(
                cursor,
                "INSERT INTO article (source, native_id, url, press, section, published_at, month, content_sha256, "
                "licence, may_train, evidence) VALUES %s ON CONFLICT (source, native_id) DO NOTHING "
                "RETURNING native_id, id",
                [
                    (a.source, a.native_id, a.url, a.press, a.section, a.published_at, a.month, a.content_sha256,
                     a.licence, a.may_train, a.evidence)
                    for a in page
                ],
                page_size=PAGE,
                fetch=True,
            )  # fmt: skip
            ids = dict(keys)
            execute_values(
                cursor,
                "INSERT INTO article_body (month, article_id, revision, title, byline, body) VALUES %s",
                [(a.month, ids[a.native_id], 1, a.title, a.byline, a.text) for a in page],
                page_size=PAGE,
            )
    return len(articles)


def _articles(source: str) -> Iterator[Article]:
    """Articles without end, over the months of one year."""
    texts = _texts()
    for number in count():
        yield Article(
            source=source,
            native_id=f"{number:09d}",
            url=f"https://news.example/{number:09d}",
            title=f"{number}번째 소식",
            text=f"{texts[number % _TEXTS]}\n{number}번.",
            press="한빛일보",
            section="사회",
            byline="김하늘 기자",
            published_at=_FIRST + timedelta(days=number % 365),
            licence="generated",
            may_train=True,
            evidence="generated by korbert bench ingest",
        )


def _texts() -> list[str]:
    rng = random.Random(1)
    lines = (" ".join(rng.choices(WORDS, k=rng.randint(8, 16))) + "." for _ in count())
    return ["\n".join(islice(lines, 20)) for _ in range(_TEXTS)]
