"""The database role of a crawler: it stores articles and works on the ledger; it drops, deletes and reads no more."""

from __future__ import annotations

from psycopg2 import sql

from korbert.db.connection import Connection, transaction
from korbert.errors import UsageError

RIGHTS = {
    # It compares digests and details; the texts themselves it never reads again.
    "article": "SELECT, INSERT, UPDATE",
    "article_body": "INSERT",
    "slice": "SELECT, INSERT, UPDATE",
    "api_budget": "SELECT, INSERT, UPDATE",
    "host_turn": "SELECT, INSERT, UPDATE",
    "crawl_mark": "SELECT, INSERT, UPDATE",
    "raw_page": "SELECT (source, native_id, sha256, fetched_at), INSERT, UPDATE (fetched_at)",
    "takedown": "SELECT",
    "forgotten": "SELECT, INSERT",
    "schema_migration": "SELECT",
}
"""Table to what a crawler does with it."""

SEQUENCES = ("article_id_seq", "slice_id_seq", "raw_page_id_seq")


def grant_crawler(connection: Connection, role: str) -> None:
    """Gives an existing role what `crawler crawl` needs on this database's tables, and takes away all else on them.

    Call it as their owner, after `migrate`, and again after each further migration.

    Raises:
        UsageError: when there is no such role, or it is the owner itself, whom nothing can be taken away.
        WorldError: when the database is lost.
    """
    name = sql.Identifier(role)
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT rolsuper OR pg_has_role(%s, current_user, 'MEMBER') FROM pg_roles WHERE rolname = %s", (role, role)
        )
        row = cursor.fetchone()
        if row is None:
            raise UsageError(f"role {role!r}: does not exist; make it with: createuser --pwprompt {role}")
        if row[0]:
            raise UsageError(f"role {role!r}: owns the tables or may become their owner; name another one")
        cursor.execute("SELECT current_schema()")
        schema = sql.Identifier(cursor.fetchall()[0][0])
        for statement in (
            "REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}",
            "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {} FROM {}",
            "REVOKE ALL ON SCHEMA {} FROM {}",
            "GRANT USAGE ON SCHEMA {} TO {}",
        ):
            cursor.execute(sql.SQL(statement).format(schema, name))
        for table, rights in RIGHTS.items():
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), sql.Identifier(table), name))
        for sequence in SEQUENCES:
            cursor.execute(sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(sql.Identifier(sequence), name))
