"""A crawler's database role can do its work and nothing else."""

import uuid

import psycopg2
import pytest

from korbert.db.articles import prepare_months
from korbert.db.connection import connect, transaction
from korbert.db.migrate import migrate
from korbert.db.roles import RIGHTS, grant_crawler
from korbert.errors import UsageError


@pytest.fixture
def role(connection):
    name = f"crawler_{uuid.uuid4().hex[:8]}"
    with transaction(connection) as cursor:
        cursor.execute(f"CREATE ROLE {name}")
    yield name
    connection.rollback()
    with transaction(connection) as cursor:
        cursor.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def crawler_url(connection, database_url, role):
    """The address under which a session has the role's rights only."""
    grant_crawler(connection, role)
    return f"{database_url}{'&' if '?' in database_url else '?'}options=-c%20role%3D{role}"


@pytest.fixture
def crawler(crawler_url):
    opened = connect(crawler_url)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "forbidden",
    [
        "DROP TABLE article",
        "DELETE FROM article",
        "TRUNCATE slice",
        "DELETE FROM takedown",
        "UPDATE takedown SET reason = ''",
        "SELECT body FROM article_body",
        "UPDATE article_body SET body = ''",
        "SELECT content FROM raw_page",
        "SELECT * FROM import_mark",
        "CREATE TABLE own (id int)",
        "ALTER TABLE article ADD COLUMN own int",
        "CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_it_can_neither_destroy_nor_read_what_it_does_not_need(crawler, forbidden):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), transaction(crawler) as cursor:
        cursor.execute(forbidden)


def test_it_migrates_nothing_and_finds_a_current_schema_in_order(crawler):
    assert migrate(crawler) == []


def test_it_gives_months_their_partitions_as_the_owner_would(crawler, connection):
    assert prepare_months(crawler, "2016-01", "2016-03") == 3
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), transaction(crawler) as cursor:
        cursor.execute("SELECT * FROM article_body_2016_01")
    with transaction(connection) as cursor:
        cursor.execute("SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'article_body_2016_01'")
        assert cursor.fetchone() == (True,)


def test_no_table_in_front_of_ours_is_touched_by_the_function(crawler, connection):
    with transaction(connection) as cursor:
        cursor.execute(
            "INSERT INTO article (source, native_id, url, press, section, published_at, month, content_sha256, "
            "licence, may_train, evidence) VALUES ('s', 'n', '', '', '', '2016-01-02', '2016-01-01', '', '', true, '');"
            "INSERT INTO article_body (month, article_id, revision, title, byline, body) "
            "SELECT month, id, 1, '', '', '' FROM article"
        )
    with transaction(crawler) as cursor:
        cursor.execute("CREATE TEMP TABLE article_body_default (month date); CREATE TEMP TABLE article (id int)")
    assert prepare_months(crawler, "2016-01", "2016-01") == 1
    with transaction(connection) as cursor:
        cursor.execute("SELECT count(*) FROM article_body_2016_01")
        assert cursor.fetchone() == (1,)


def test_rights_that_it_had_before_are_taken_away(connection, role):
    with transaction(connection) as cursor:
        cursor.execute(f"GRANT ALL ON article, article_body TO {role}")
    for _ in range(2):
        grant_crawler(connection, role)
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT has_table_privilege(%(role)s, 'article', 'DELETE'), "
            "has_table_privilege(%(role)s, 'article_body', 'SELECT'), "
            "has_table_privilege(%(role)s, 'article', 'UPDATE')",
            {"role": role},
        )
        assert cursor.fetchone() == (False, False, True)


def test_every_table_is_decided_on(connection):
    with transaction(connection) as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^article_body_'")
        tables = {row[0] for row in cursor.fetchall()}
    assert tables - set(RIGHTS) == {"built_corpus", "import_mark"}


def test_a_role_that_is_not_there_or_owns_everything_is_refused(connection):
    with pytest.raises(UsageError, match="'nobody-here': does not exist; make it with"):
        grant_crawler(connection, "nobody-here")
    with transaction(connection) as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
    with pytest.raises(UsageError, match="owns the tables"):
        grant_crawler(connection, owner)
