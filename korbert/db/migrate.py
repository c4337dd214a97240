"""Brings a database to the schema of this code: numbered SQL files, each applied once, in one transaction.

A file that has been applied is never changed; the next change of the schema is the next file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import psycopg2

from korbert.db.connection import Connection, Cursor, transaction
from korbert.errors import WorldError

LOCK = 0x6B6F7262657274  # "korbert" in ASCII: the advisory lock's number, ours alone by chance

BOOKS = """
CREATE TABLE IF NOT EXISTS schema_migration (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True)
class Migration:
    """One numbered SQL file."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """The files of `korbert/db/migrations`, by number; their numbers are 1, 2, 3 and so on."""
    found = []
    for file in files("korbert.db.migrations").iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        if file.name.endswith(".sql"):
            found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    assert [migration.number for migration in found] == list(range(1, len(found) + 1))
    return found


def migrate(connection: Connection, known: list[Migration] | None = None) -> list[int]:
    """Applies what is missing and answers the numbers; of several processes at once one applies, the others wait.

    Raises:
        WorldError: when the database was made by newer or other code, or refuses a change.
    """
    known = migrations() if known is None else known
    with transaction(connection) as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    try:
        with transaction(connection) as cursor:
            applied = _applied(cursor)
        missing = [migration for migration in known if not _is_applied(migration, applied)]
        if newer := sorted(applied.keys() - {migration.number for migration in known}):
            raise WorldError(
                f"database schema: has migration {newer[-1]}, this korbert knows {len(known)}; update korbert, "
                "or name another database in DATABASE_URL"
            )
        for migration in missing:
            _apply(connection, migration)
    finally:
        if not connection.closed:
            with transaction(connection) as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
    return [migration.number for migration in missing]


def _applied(cursor: Cursor) -> dict[int, str]:
    try:
        # Even IF NOT EXISTS wants the right to create, which a crawler's role does not have.
        cursor.execute("SELECT to_regclass('schema_migration')")
        if cursor.fetchone() == (None,):
            cursor.execute(BOOKS)
        cursor.execute("SELECT number, sha256 FROM schema_migration")
    except psycopg2.ProgrammingError as error:
        raise WorldError(f"database schema: {_reason(error)}; let this user own the database") from error
    return dict(cursor.fetchall())


def _is_applied(migration: Migration, applied: dict[int, str]) -> bool:
    if migration.number in applied and applied[migration.number] != migration.sha256:
        raise WorldError(
            f"database schema: migration {migration.number} ({migration.name}) was applied from another file; "
            "use the korbert that made this database, or name a new one in DATABASE_URL"
        )
    return migration.number in applied


def _apply(connection: Connection, migration: Migration) -> None:
    try:
        with transaction(connection) as cursor:
            cursor.execute(migration.sql)
            cursor.execute(
                "INSERT INTO schema_migration (number, name, sha256) VALUES (%s, %s, %s)",
                (migration.number, migration.name, migration.sha256),
            )
    except psycopg2.Error as error:
        raise WorldError(
            f"database schema: migration {migration.number} ({migration.name}) failed: {_reason(error)}; "
            "nothing of it was kept; let this user own an empty database"
        ) from error


def _reason(error: psycopg2.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
