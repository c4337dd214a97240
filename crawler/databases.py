"""The database that a command works on: named, of the environment, or the workspace's own."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from korbert.db import embedded
from korbert.db.connection import Connection, connect
from korbert.db.migrate import migrate
from korbert.errors import UsageError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what `opened` reads."""
    parser.add_argument("--database-url", default="", metavar="URL", help="default: DATABASE_URL of the environment")
    parser.add_argument(
        "--workspace", type=Path, metavar="DIR", help="folder of a run: its database where no other is named"
    )


@contextlib.contextmanager
def opened(options: argparse.Namespace) -> Iterator[Connection]:
    """A connection to the options' database, brought to this code's schema.

    Raises:
        UsageError: when no database is named.
        WorldError: when it cannot be reached or started.
    """
    with named(options) as url, contextlib.closing(connect(url)) as connection:
        migrate(connection)
        yield connection


@contextlib.contextmanager
def named(options: argparse.Namespace) -> Iterator[str]:
    """The URL of the options' database; a workspace's own runs as long as the block.

    Raises:
        UsageError: when no database is named.
        WorldError: when it cannot be started.
    """
    if url := options.database_url or os.environ.get("DATABASE_URL", ""):
        yield url
    elif options.workspace is None:
        raise UsageError("--database-url: is missing; give it, set DATABASE_URL, or name a run's folder by --workspace")
    elif not (options.workspace / "config.json").is_file():
        raise UsageError(f"--workspace {options.workspace}: is no workspace (it has no config.json)")
    else:
        with embedded.database(options.workspace) as url:
            yield url
