"""The import's benchmark writes the same articles both ways. No speed is asserted."""

import contextlib
import json
from itertools import islice

import pytest

from korbert import bench, recipes
from korbert.bench import ingest
from korbert.db.articles import summary
from korbert.db.connection import connect
from korbert.errors import UsageError


def test_bench_ingest_measures_and_reports() -> None:
    measured = bench.run("ingest", recipes.tiny(), rounds=3, size=600)
    values = json.loads(measured.json())
    assert (values["name"], values["peer_name"], values["unit"]) == ("ingest", "execute_values", "rows/s")
    assert (values["rows"], values["peer_rows"]) == (600, 60)
    assert values["peak_memory_mb"] >= values["memory_before_mb"] > 0
    assert values["live_path_rows_a_second"] > 0


def test_copy_the_peer_and_the_crawls_own_way_store_the_same_articles(database_url: str) -> None:
    with contextlib.closing(connect(database_url)) as connection:
        assert ingest._copying(connection, 1200)() == 1200
        assert ingest._inserting(connection, 1200)() == 1200
        ingest._storing(connection, 1200)
        found = [summary(connection, name) for name in ("copied", "inserted", "stored")]
    assert {one.articles for one in found} == {1200}
    assert len({one.digest for one in found}) == 1
    assert len(found[0].by_month) == 12


def test_the_rows_follow_one_another_over_the_rounds(database_url: str) -> None:
    with contextlib.closing(connect(database_url)) as connection:
        work = ingest._copying(connection, 70)
        assert [work(), work()] == [70, 70]
        assert summary(connection, "copied").articles == 140


def test_articles_differ_and_have_the_length_that_is_reported() -> None:
    articles = list(islice(ingest._articles("s"), 2000))
    assert len({article.content_sha256 for article in articles}) == 2000
    assert all(500 < len(article.text) < 1500 for article in articles)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(UsageError, match="--size 20: must be at least 30"):
        ingest.measure(3, 20)
