"""What a user is told when the database cannot be reached; a password is never part of it."""

import subprocess
import sys
from urllib.parse import urlsplit

import psycopg2
import pytest

from korbert.db.connection import connect, transaction
from korbert.errors import UsageError, WorldError


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://user:s3cret@host/db",
        "host=localhost password=s3cret",
        "postgresql://user:s3cret@host:port/db",
        "postgresql://user:s3c/ret@host/db",
        "postgresql://user:s3c@ret@host/db",
        "postgresql://user:s3cret@host/db?no_such_option=1",
        "postgresql://user:s3c%ret@host/db",
        "postgresql://user:s3cret@[::1/db",
    ],
)
def test_a_malformed_url_is_a_usage_error_that_shows_no_part_of_it(url):
    with pytest.raises(UsageError, match=r"^DATABASE_URL: .* must look like postgresql://") as caught:
        connect(url)
    for part in ("s3c", "ret", "host/db"):
        assert part not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://user:s3cret@127.0.0.1:1/db", r"Connection refused.*check that the server runs"),
        ("postgresql://user:s3cret@/db?host=/nowhere", r"No such file or directory.*check that the server runs"),
    ],
)
def test_a_server_that_does_not_answer_is_a_fault_of_the_world(url, said):
    with pytest.raises(WorldError, match=said) as caught:
        connect(url)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_missing_database_is_named_with_the_next_step(server_url):
    url = urlsplit(server_url)._replace(path="/absent").geturl()
    with pytest.raises(WorldError, match=r'database "absent" does not exist; create the database with: createdb NAME'):
        connect(url)


def test_a_missing_user_is_named_with_the_next_step(server_url):
    host = urlsplit(server_url).query
    with pytest.raises(WorldError, match=r"stranger.*(does not exist; check the user|check the user and the password)"):
        connect(f"postgresql://stranger:s3cret@/postgres?{host}")


def test_a_database_that_cannot_hold_korean_is_refused(server_url):
    admin = connect(server_url)
    admin.autocommit = True
    admin.cursor().execute("DROP DATABASE IF EXISTS latin")
    admin.cursor().execute("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with pytest.raises(WorldError, match="encoded in LATIN1, Korean text needs UTF8"):
        connect(urlsplit(server_url)._replace(path="/latin").geturl())
    admin.cursor().execute("DROP DATABASE latin WITH (FORCE)")
    admin.close()


def test_a_connection_is_named_and_has_no_autocommit(connection):
    assert not connection.autocommit
    with transaction(connection) as cursor:
        cursor.execute("SHOW application_name")
        assert cursor.fetchone() == ("korbert",)


def test_a_transaction_is_committed_whole_or_not_at_all(connection, database_url):
    with transaction(connection) as cursor:
        cursor.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
    with pytest.raises(KeyError), transaction(connection) as cursor:
        cursor.execute("INSERT INTO kept VALUES (2)")
        raise KeyError
    other = connect(database_url)
    with transaction(other) as cursor:
        cursor.execute("SELECT n FROM kept")
        assert cursor.fetchall() == [(1,)]
    other.close()


def test_a_lost_server_is_a_fault_of_the_world(connection, database_url):
    with transaction(connection) as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    other = connect(database_url)
    with transaction(other) as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", (backend,))
    other.close()
    said = r"^database: .*; see that the server is up, then run again"
    with pytest.raises(WorldError, match=said), transaction(connection) as cursor:
        cursor.execute("SELECT 1")
    with pytest.raises(WorldError), transaction(connection):
        pass


def test_a_mistake_in_our_own_sql_keeps_its_stack_trace(connection):
    with pytest.raises(psycopg2.errors.UndefinedTable), transaction(connection) as cursor:
        cursor.execute("SELECT * FROM no_such_table")
    with transaction(connection) as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_a_session_imports_no_torch():
    code = "import sys, korbert.db.embedded, korbert.db.articles, korbert.db.ledger; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
