"""Articles that others collected reach the corpus: stage crawl takes what the database holds of `crawl.source`."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from korbert import chain, recipes
from korbert.__main__ import main
from korbert.chain import Workspace
from korbert.config import overridden
from korbert.db.articles import Article, prepare_months, store
from korbert.db.connection import connect, transaction
from korbert.storage import read_jsonl

ARTICLES = list(read_jsonl(chain.shipped_articles()))[:40]


def collect(connection, articles, source="press"):
    """Stores the articles as a crawler would."""
    prepare_months(connection, "2015-01", "2015-03")
    with transaction(connection) as cursor:
        store(cursor, [
            Article(
                source, a["id"], f"http://h/{a['id']}", a["title"], a["text"], "가나일보", "정치", "",
                datetime(2015, 2, 3, tzinfo=UTC), "KOGL-1", True, "a test",
            )
            for a in articles
        ])  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose articles come from source `press` of the test's database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    made = Workspace(tmp_path / "run")
    made.save(overridden(recipes.demo(), ["crawl.source=press"]))
    return made


def crawl_state(workspace: Workspace) -> str:
    return chain.state(workspace.load(), workspace, "crawl").state


def test_collected_articles_become_the_corpus_without_a_crawl(connection, workspace, capsys):
    collect(connection, ARTICLES)
    collect(connection, ARTICLES[:5], source="another")
    assert main(["stage", "crawl", "--workspace", str(workspace.root)]) == 0
    assert capsys.readouterr().out == "crawl: 40 articles of press, 40 of them for training\n"
    assert crawl_state(workspace) == "fresh"
    assert main(["stage", "corpus", "--workspace", str(workspace.root)]) == 0
    assert workspace.manifest("corpus").counts["articles"] == 40


def test_new_articles_wait_until_they_are_asked_for_and_then_leave_the_corpus_stale(connection, workspace, capsys):
    collect(connection, ARTICLES[:30])
    for stage in ("crawl", "corpus"):
        assert main(["stage", stage, "--workspace", str(workspace.root)]) == 0
    collect(connection, ARTICLES)
    assert crawl_state(workspace) == "fresh"
    capsys.readouterr()
    assert main(["stage", "crawl", "--workspace", str(workspace.root)]) == 0
    assert main(["stage", "crawl", "--workspace", str(workspace.root)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (first, second) == (
        "crawl: 40 articles of press, 40 of them for training",
        "crawl: 40 articles of press, 40 of them for training; nothing new",
    )
    corpus = chain.state(workspace.load(), workspace, "corpus")
    assert (corpus.state, corpus.why) == ("stale", "crawl has changed")


def test_a_run_takes_the_collected_articles_too(connection, workspace, capsys):
    collect(connection, ARTICLES)
    words = ["run", "demo", "--to", "crawl", "--workspace", str(workspace.root), "--set", "crawl.source=press"]
    assert main(words) == 0
    assert workspace.manifest("crawl").counts["articles"] == 40


def test_a_source_of_which_nothing_is_stored_is_refused(connection, workspace, capsys):
    assert main(["stage", "crawl", "--workspace", str(workspace.root)]) == 2
    assert "'press': the database holds no article of it; collect some with" in capsys.readouterr().err
    assert crawl_state(workspace) == "absent"


def test_a_database_without_tables_holds_nothing(server_url, workspace, monkeypatch, capsys):
    with connect(server_url) as bare, bare.cursor() as cursor:
        cursor.execute("SELECT to_regclass('article') IS NULL")
        assert cursor.fetchone() == (True,)
    monkeypatch.setenv("DATABASE_URL", server_url)
    assert main(["stage", "crawl", "--workspace", str(workspace.root)]) == 2
    assert "holds no article of it" in capsys.readouterr().err


def test_without_a_source_the_stage_says_how_the_articles_come(workspace, capsys):
    workspace.save(recipes.demo())
    assert main(["stage", "crawl", "--workspace", str(workspace.root)]) == 2
    assert "crawl.source = '': names no source" in capsys.readouterr().err
