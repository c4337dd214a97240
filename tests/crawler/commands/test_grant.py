"""A crawler whose database role may crawl, and nothing else, crawls as any other."""

import uuid

import pytest

from crawler.__main__ import main
from crawler.newsroom.server import serving
from korbert.db import raw
from korbert.db.articles import summary
from korbert.db.connection import transaction


@pytest.fixture
def role(connection):
    name = f"crawler_{uuid.uuid4().hex[:8]}"
    with transaction(connection) as cursor:
        cursor.execute(f"CREATE ROLE {name}")
    yield name
    connection.rollback()
    with transaction(connection) as cursor:
        cursor.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_role_that_may_only_crawl_crawls_whole(crawls_in, articles, connection, database_url, role, capsys):
    assert main(["grant", role, "--database-url", database_url]) == 0
    assert capsys.readouterr().out.startswith(f"grant: {role} may crawl")
    joint = "&" if "?" in database_url else "?"
    crawls = crawls_in(f"{database_url}{joint}options=-c%20role%3D{role}")
    crawls.configure(raw="postgres", delay=0.001)
    with serving(articles) as site:
        for _ in range(2):
            end = crawls.run(site.root)
            assert end.code == 0, end.err
    assert summary(connection, "newsroom-test").articles == 48
    assert raw.counts(connection, "")["newsroom-test"] == (48, 48)


def test_a_role_that_is_not_there_is_one_line(database_url, capsys):
    assert main(["grant", "nobody", "--database-url", database_url]) == 2
    assert "role 'nobody': does not exist; make it with: createuser" in capsys.readouterr().err
