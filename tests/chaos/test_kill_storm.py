"""The storm, in small: what `make chaos` does with twenty thousand articles."""

import importlib.util
import sys
from pathlib import Path

import pytest

from korbert.bench.scratch import scratch
from korbert.db.connection import connect, transaction

_spec = importlib.util.spec_from_file_location("kill_storm", Path(__file__).with_name("kill_storm.py"))
kill_storm = importlib.util.module_from_spec(_spec)
# Dataclasses look their module up there.
sys.modules["kill_storm"] = kill_storm
_spec.loader.exec_module(kill_storm)


@pytest.fixture
def place():
    """A folder and a server of this test's own: the one that all tests share is not to be killed."""
    with scratch("kill-storm-") as place:
        yield place


def test_a_crawl_by_three_processes_survives_kills_of_crawlers_and_of_postgres(place):
    storm = kill_storm.Storm(articles=1_500, processes=3, rounds=3, seed=7)
    assert kill_storm.run(storm, *place) == []
    assert storm.kills >= 3
    assert storm.restarts.total() >= 1
    assert storm.starts > storm.processes
    assert storm.ends[0] >= 1


def test_the_verdict_names_what_is_missing_wrong_double_or_undone(place):
    folder, url = place
    storm = kill_storm.Storm(articles=60, processes=1, rounds=0, seed=1)

    def verdict_after(statement):
        connection = connect(url)
        with transaction(connection) as cursor:
            cursor.execute(statement)
        connection.close()
        return kill_storm.verdict(folder / "articles.jsonl", url)

    assert kill_storm.run(storm, folder, url) == []
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
