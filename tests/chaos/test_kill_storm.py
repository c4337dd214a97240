"""The storm, in small: what `make chaos` does with twenty thousand articles."""

import importlib.util
import os
import shutil
import sys
import uuid
from pathlib import Path

import pytest

from korbert.db.connection import connect, transaction

_spec = importlib.util.spec_from_file_location("kill_storm", Path(__file__).with_name("kill_storm.py"))
kill_storm = importlib.util.module_from_spec(_spec)
# Dataclasses look their module up there.
sys.modules["kill_storm"] = kill_storm
_spec.loader.exec_module(kill_storm)


@pytest.fixture
def own_server(monkeypatch):
    """A place for a server of this test's own: the one that all tests share is not to be killed."""
    folder = Path(os.environ["KORBERT_PG_DATA"]) / uuid.uuid4().hex[:8]
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("KORBERT_PG_DATA", str(folder))
    yield
    shutil.rmtree(folder, ignore_errors=True)


def test_a_crawl_by_three_processes_survives_kills_of_crawlers_and_of_postgres(tmp_path, own_server):
    storm = kill_storm.Storm(articles=1_500, processes=3, rounds=3, seed=7)
    assert kill_storm.run(storm, tmp_path) == []
    assert storm.kills >= 3
    assert storm.restarts.total() >= 1
    assert storm.starts > storm.processes
    assert storm.ends[0] >= 1


def test_the_verdict_names_what_is_missing_wrong_double_or_undone(tmp_path, own_server):
    file = tmp_path / "articles.jsonl"
    storm = kill_storm.Storm(articles=60, processes=1, rounds=0, seed=1)

    def verdict_after(statement):
        with kill_storm.database(tmp_path / "home") as url:
            connection = connect(url)
            with transaction(connection) as cursor:
                cursor.execute(statement)
            connection.close()
            return kill_storm.verdict(file, url)

    assert kill_storm.run(storm, tmp_path) == []
    assert verdict_after("DELETE FROM article WHERE native_id = '000003'") == ["1 articles missing"]
    assert "1 articles that differ" in verdict_after(
        "UPDATE article_body SET body = body || '.' WHERE article_id = (SELECT min(id) FROM article)"
    )
    assert "1 slices not done" in verdict_after(
        "UPDATE slice SET state = 'pending' WHERE id = (SELECT min(id) FROM slice)"
    )
    assert "1 rows beyond one an article" in verdict_after(
        "INSERT INTO article_body (month, article_id, revision, title, byline, body) "
        "SELECT month, article_id, 2, title, byline, body FROM article_body ORDER BY article_id LIMIT 1"
    )
