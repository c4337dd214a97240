"""Connections to Postgres, and what is said when one fails. A password is never printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import parse_dsn

from korbert.errors import UsageError, WorldError

__all__ = ["Connection", "Cursor", "connect", "database_faults", "transaction"]

EXAMPLE = "postgresql://user:password@host:5432/database"

DEFAULTS = {
    "application_name": "korbert",
    "connect_timeout": "10",
    # A pod whose node vanished must not keep its transaction, and with it a slice, for hours.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}


def connect(url: str) -> Connection:
    """A connection to the database at `url` (postgresql://…), not in autocommit.

    Raises:
        UsageError: when `url` is no Postgres URL.
        WorldError: when the server does not answer, refuses, or has no such database.
    """
    parts = _parsed(url)
    try:
        connection = psycopg2.connect(**{**DEFAULTS, **parts, "client_encoding": "UTF8"})
    except psycopg2.OperationalError as error:
        raise WorldError(_refusal(parts, error)) from error
    encoding = connection.get_parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise WorldError(
            f"DATABASE_URL = {_shown(parts)}: the database is encoded in {encoding}, Korean text needs UTF8; "
            "create one with: createdb --encoding UTF8 --template template0 NAME"
        )
    return connection


@contextmanager
def transaction(connection: Connection) -> Iterator[Cursor]:
    """A cursor whose work is committed when the block ends, or rolled back when it raises.

    Raises:
        WorldError: when the database is lost, or has no room left.
    """
    with database_faults():
        cursor = connection.cursor()
        try:
            yield cursor
            connection.commit()
        except BaseException:
            # A lost connection cannot roll back; the server has done it.
            if not connection.closed:
                _roll_back(connection)
            raise
        finally:
            cursor.close()


@contextmanager
def database_faults() -> Iterator[None]:
    """Turns a lost server, a full disk or a cancelled statement into a `WorldError` of one line."""
    try:
        yield
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise WorldError(f"database: {_one_line(error)}; see that the server is up, then run again") from error


def _roll_back(connection: Connection) -> None:
    try:
        connection.rollback()
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        connection.close()


def _parsed(url: str) -> dict[str, str]:
    """The URL as libpq reads it. Its own complaints quote parts of the URL, so they are not passed on."""
    rule = f"must look like {EXAMPLE}, with characters such as @ : / in the password written %40 %3A %2F"
    if not url.startswith(("postgresql://", "postgres://")):
        raise UsageError(f"DATABASE_URL: is no Postgres URL; it {rule}")
    try:
        parts = dict(parse_dsn(url))
    except psycopg2.ProgrammingError:
        raise UsageError(f"DATABASE_URL: cannot be read as a URL; it {rule}") from None
    # An unescaped password spills into the parts after it; libpq would then quote it in its messages.
    if "@" in parts.get("host", "") + parts.get("dbname", ""):
        raise UsageError(f"DATABASE_URL: has an @ in the wrong place; it {rule}")
    if not all(port.isdigit() or not port for port in parts.get("port", "").split(",")):
        raise UsageError(f"DATABASE_URL: its port is no number; it {rule}")
    return parts


def _shown(parts: dict[str, Any]) -> str:
    host = parts.get("host", "localhost")
    port = f":{parts['port']}" if "port" in parts else ""
    return f"postgresql://{parts.get('user', '')}@{host}{port}/{parts.get('dbname', '')}"


def _refusal(parts: dict[str, Any], error: psycopg2.OperationalError) -> str:
    reason = _one_line(error)
    if "authentication failed" in reason or "no password supplied" in reason:
        step = "check the user and the password in it"
    elif 'role "' in reason and "does not exist" in reason:
        step = "check the user in it, or create the user with: createuser NAME"
    elif "does not exist" in reason:
        step = "create the database with: createdb NAME"
    else:
        step = "check that the server runs and can be reached, or unset DATABASE_URL for an embedded one"
    return f"DATABASE_URL = {_shown(parts)}: {reason}; {step}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
