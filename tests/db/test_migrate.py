"""The schema comes to be once, whole, whoever asks."""

import threading
from dataclasses import replace

import psycopg2
import pytest

from korbert.db.articles import prepare_months, read_trainable
from korbert.db.connection import connect, transaction
from korbert.db.ledger import SliceKey, lease
from korbert.db.migrate import Migration, migrate, migrations
from korbert.db.takedowns import forget
from korbert.errors import WorldError


@pytest.fixture
def empty(connection):
    with transaction(connection) as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return connection


def applied(connection) -> list[int]:
    with transaction(connection) as cursor:
        cursor.execute("SELECT number FROM schema_migration ORDER BY number")
        return [row[0] for row in cursor.fetchall()]


def test_migrations_apply_once_and_in_order(empty):
    assert migrate(empty) == [migration.number for migration in migrations()]
    assert migrate(empty) == []
    assert applied(empty) == [migration.number for migration in migrations()]


def test_of_several_processes_at_once_one_applies(empty, database_url):
    answers: list[list[int]] = []

    def run() -> None:
        own = connect(database_url)
        answers.append(migrate(own))
        own.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [[], [], [], [migration.number for migration in migrations()]]


def test_a_changed_file_is_refused(connection):
    first, *rest = migrations()
    with pytest.raises(WorldError, match=r"migration 1 \(articles\) was applied from another file"):
        migrate(connection, [replace(first, sql=first.sql + "-- later thought"), *rest])


def test_a_database_newer_than_the_code_is_refused(connection):
    with pytest.raises(WorldError, match=r"has migration \d+, this korbert knows 1; update korbert"):
        migrate(connection, migrations()[:1])


def test_a_failing_migration_leaves_nothing_and_frees_the_lock(connection, database_url):
    number = len(migrations()) + 1
    broken = Migration(number, "broken", "CREATE TABLE half (id int); SELECT 1/0;")
    with pytest.raises(WorldError, match=rf"migration {number} \(broken\) failed: division by zero"):
        migrate(connection, [*migrations(), broken])
    assert applied(connection) == [*range(1, number)]
    with transaction(connection) as cursor:
        cursor.execute("SELECT to_regclass('half')")
        assert cursor.fetchone() == (None,)
    other = connect(database_url)
    assert migrate(other, [*migrations(), replace(broken, sql="CREATE TABLE half (id int)")]) == [number]
    other.close()


def test_a_user_without_rights_is_told_so(empty):
    with transaction(empty) as cursor:
        cursor.execute("GRANT USAGE ON SCHEMA public TO public")
        cursor.execute("SET ROLE pg_monitor")
    with pytest.raises(WorldError, match="permission denied.*let this user own the database"):
        migrate(empty)


def test_the_keys_of_articles_are_unique_over_all_months(connection):
    row = "'s', 'n', '', '', '', %s, %s, '', '', true, ''"
    insert = (
        "INSERT INTO article (source, native_id, url, press, section, published_at, month, content_sha256, licence, "
        f"may_train, evidence) VALUES ({row})"
    )
    with transaction(connection) as cursor:
        cursor.execute(insert, ("2016-01-31", "2016-01-01"))
    with pytest.raises(psycopg2.errors.UniqueViolation), transaction(connection) as cursor:
        cursor.execute(insert, ("2016-02-01", "2016-02-01"))


def test_slices_of_the_first_ledger_are_kept_by_the_schema_with_more_kinds(empty):
    migrate(empty, migrations()[:2])
    with transaction(empty) as cursor:
        cursor.execute(
            "INSERT INTO slice (source, kind, query, month, page, state, seen) VALUES "
            "('s', 'search', '경제', '', 2, 'capped', 100), ('s', 'list', '', '2019-11', 1, 'done', 30)"
        )
    migrate(empty, migrations()[:3])
    with transaction(empty) as cursor:
        cursor.execute("SELECT kind, query, month, page, cursor, state, seen, split_into FROM slice ORDER BY id")
        assert cursor.fetchall() == [
            ("search", "경제", "", 2, "", "capped", 100, []),
            ("list", "", "2019-11", 1, "", "done", 30, []),
        ]
        cursor.execute("INSERT INTO slice (source, kind, query, month, page) VALUES ('s', 'api', '', '2024-02-29', 1)")
    with pytest.raises(psycopg2.errors.CheckViolation), transaction(empty) as cursor:
        cursor.execute("INSERT INTO slice (source, kind, query, month, page) VALUES ('s', 'guess', '', '', 1)")


@pytest.mark.parametrize("released", [2, 3, 4])
def test_a_released_schema_comes_forward_with_its_data(empty, released):
    migrate(empty, migrations()[:released])
    with transaction(empty) as cursor:
        cursor.execute("SELECT create_body_month('2016-01-01')")
        for number, month in enumerate(("2016-01-01", "2017-05-01"), 1):
            cursor.execute(
                "INSERT INTO article (source, native_id, url, press, section, published_at, month, content_sha256, "
                "licence, may_train, evidence) VALUES ('s', %s, 'http://h', 'p', '', %s, %s, 'x', 'own', true, 'e')",
                (f"n{number}", month, month),
            )
            cursor.execute(
                "INSERT INTO article_body (month, article_id, revision, title, byline, body) "
                "VALUES (%s, %s, 1, '제목', '', '본문')",
                (month, number),
            )
        cursor.execute("INSERT INTO slice (source, kind, query, month, page) VALUES ('s', 'list', '', '2016-01', 1)")
        cursor.execute("INSERT INTO api_budget VALUES ('s', '2016-01-02', 7)")
    assert migrate(empty) == [migration.number for migration in migrations()[released:]]
    assert [(a.native_id, a.text, a.modified_at, a.removed) for a in read_trainable(empty, "s")] == [
        ("n1", "본문", None, ()),
        ("n2", "본문", None, ()),
    ]
    assert prepare_months(empty, "2016-01", "2017-12") == 23
    assert lease(empty, "s", "w", 60).key == SliceKey("s", "list", month="2016-01")
    assert forget(empty, "press", "p").articles == 2
    assert list(read_trainable(empty, "s")) == []
