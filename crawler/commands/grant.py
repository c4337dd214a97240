"""`crawler grant`: gives a database role what a crawler needs, and no more."""

from __future__ import annotations

import argparse
from typing import Any

from crawler import databases
from korbert.db.roles import grant_crawler


def add(commands: Any) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser("grant", help="Give a database role what a crawler needs, and no more.")
    parser.set_defaults(command=run)
    parser.add_argument("role", metavar="ROLE", help="an existing role; crawlers then use it in DATABASE_URL")
    databases.add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Grants; the connection is the owner's."""
    with databases.opened(options) as connection:
        grant_crawler(connection, options.role)
    print(f"grant: {options.role} may crawl: store articles and work on the ledger, delete and drop nothing")
    return 0
