"""Kept pages are read again without a request, and what a better extractor finds becomes a revision."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

import crawler.reparse as module
from crawler.__main__ import main
from crawler.newsroom.server import serving
from crawler.pages import parser, response_of
from crawler.publishers import SOURCES
from crawler.reparse import Reparsed, reparse
from korbert.db import raw
from korbert.db.articles import read_trainable, revisions
from korbert.db.connection import transaction
from korbert.db.raw import RawPage
from korbert.db.takedowns import forget

SOURCE = "newsroom-test"
NEWSROOM = SOURCES["newsroom"]


def kept(connection, html: str, native_id="n1", **changes) -> None:
    page = RawPage(
        source="s",
        native_id=native_id,
        publisher="newsroom",
        url=f"http://h/mnews/article/001/{native_id}",
        fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
        status=200,
        headers={"content-type": "text/html; charset=utf-8"},
        body=html.encode(),
        parser="0",
        layout="",
        licence="own",
        may_train=True,
        evidence="as it was granted then",
    )
    with transaction(connection) as cursor:
        raw.store(cursor, [replace(page, **changes)])


def html(title="제목", opt_out="") -> str:
    robots = f"<meta name=robots content={opt_out}>" if opt_out else ""
    return (
        f"{robots}<h2 class=media_end_head_headline>{title}</h2><h2 class=other>다른 제목</h2>"
        "<span class=_ARTICLE_DATE_TIME data-date-time='2024-01-02 03:04:05'></span>"
        "<article id=dic_area>본문이다.</article>"
    )


def stored(connection, source="s"):
    return list(read_trainable(connection, source))


def other_title():
    current = replace(NEWSROOM.layouts[0], title="h2.other")
    return {"newsroom": replace(NEWSROOM, layouts=(current,))}


@pytest.mark.parametrize("where", ["postgres", "warc"])
def test_a_crawl_keeps_its_pages_and_reading_them_again_gives_the_same(
    crawls, articles, connection, where, tmp_path, capsys, monkeypatch
):
    folder = tmp_path / "warc"
    crawls.configure(raw=where, raw_folder=str(folder) if where == "warc" else "")
    with serving(articles) as site:
        end = crawls.run(site.root)
    assert end.code == 0, end.err
    assert raw.counts(connection, parser()) == {SOURCE: (48, 0)}
    assert (len(list(folder.glob("*.warc.gz"))) if where == "warc" else 1) == 1
    before = stored(connection, SOURCE)
    again = reparse(connection, SOURCE, version="2", raw_folder=folder)
    assert (again, stored(connection, SOURCE)) == (Reparsed(unchanged=48), before)
    assert reparse(connection, SOURCE, version="2", raw_folder=folder) == Reparsed()
    monkeypatch.setenv("DATABASE_URL", crawls.database_url)
    assert main(["reparse", "--raw-folder", str(folder)]) == 0
    assert f"reparse {SOURCE}: 48 pages kept; 0 new, 0 changed, 48 unchanged, 0 unreadable" in capsys.readouterr().out


def test_a_better_extractor_reads_what_none_could(connection):
    kept(connection, html().replace("media_end_head_headline", "other"))
    assert reparse(connection, "s", version="1") == Reparsed(unreadable=1)
    assert stored(connection) == []
    assert reparse(connection, "s", version="2", sources=other_title()) == Reparsed(new=1)
    (article,) = stored(connection)
    assert (article.title, article.licence, article.evidence) == ("제목", "own", "as it was granted then")


def test_a_different_reading_is_a_revision(connection):
    kept(connection, html())
    reparse(connection, "s", version="1")
    assert reparse(connection, "s", version="2", sources=other_title()) == Reparsed(changed=1)
    assert [r.title for r in revisions(connection, "s", "n1")] == ["제목", "다른 제목"]


def test_only_pages_of_the_named_layout_are_read(connection):
    kept(connection, html(), native_id="n1", layout="old")
    kept(connection, html(), native_id="n2", layout="")
    assert reparse(connection, "s", version="1", layout="") == Reparsed(new=1)
    assert [a.native_id for a in stored(connection)] == ["n2"]
    assert reparse(connection, "s", version="1") == Reparsed(new=1)


def test_an_interrupted_reading_goes_on_where_it_was(connection, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    for number in range(5):
        kept(connection, html(), native_id=f"n{number}")

    class Interrupted:
        def advance(self, count, note):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reparse(connection, "s", version="1", progress=Interrupted())
    assert len(stored(connection)) == 2
    assert reparse(connection, "s", version="1") == Reparsed(new=3)


def test_a_refusal_that_an_older_extractor_overlooked_counts(connection):
    kept(connection, html())
    reparse(connection, "s", version="1")
    kept(connection, html(opt_out="noai"), fetched_at=datetime(2026, 1, 2, tzinfo=UTC))
    assert reparse(connection, "s", version="2") == Reparsed(changed=1)
    assert stored(connection) == []


def test_what_was_not_granted_then_is_not_granted_by_reading_again(connection):
    kept(connection, html(), may_train=False)
    assert reparse(connection, "s", version="1") == Reparsed(new=1)
    assert stored(connection) == []


def test_what_was_taken_down_by_its_press_does_not_come_back(connection):
    kept(connection, html() + "<div class=media_end_head_top><a><img title=한빛일보></a></div>")
    forget(connection, "press", "한빛일보")
    assert reparse(connection, "s", version="1") == Reparsed(refused=1)


def test_a_page_of_an_unknown_publisher_or_an_empty_one_is_unreadable(connection):
    kept(connection, html(), native_id="n1", publisher="gone")
    kept(connection, "", native_id="n2")
    assert reparse(connection, "s", version="1") == Reparsed(unreadable=2)


@pytest.mark.parametrize("told", [{"content-type": "text/html; charset=euc-kr"}, {"content-type": "text/html"}, {}])
def test_a_page_is_decoded_as_when_it_came(connection, told):
    """By its header, by its meta where the header says nothing, and as HTML where there is no header."""
    page = "<html><meta charset=euc-kr>" + html(title="한글 제목")
    kept(connection, "", body=page.encode("euc-kr"), headers=told)
    (again,) = raw.outdated(connection, "s", "1")
    assert "한글 제목" in response_of(again.page).text


def test_a_source_without_kept_pages_is_one_line(database_url, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert main(["reparse", "--source", "nobody"]) == 2
    assert "--source nobody: has no kept pages (crawl.raw); those that have: none" in capsys.readouterr().err


def test_the_extractors_version_is_a_digest_that_stays():
    assert parser() == parser()
    assert len(parser()) == 16
