"""`crawler crawl`: crawls a site into Postgres until its ledger is empty."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from korbert.chain import Workspace
from korbert.errors import UsageError


def add(commands: Any) -> None:
    """Adds the command's parser."""
    crawl = commands.add_parser("crawl", help="Crawl a site until its ledger is empty; run again to go on.")
    crawl.set_defaults(command=run)
    crawl.add_argument("--workspace", type=Path, required=True, metavar="DIR", help="folder with the run's config.json")
    crawl.add_argument("--base-url", required=True, metavar="URL", help="the site, like http://127.0.0.1:8000")
    crawl.add_argument("--database-url", default="", metavar="URL", help="default: DATABASE_URL of the environment")
    crawl.add_argument("--source", default="newsroom", help="which site it is (default %(default)s)")
    crawl.add_argument("--source-name", default="", metavar="NAME", help="its name in the database; default: --source")


def run(options: argparse.Namespace) -> int:
    """Crawls and prints the summary; answers its exit code."""
    from crawler.crawl import Site, crawl

    config = Workspace(options.workspace).load()
    url = options.database_url or os.environ.get("DATABASE_URL", "")
    if not url:
        raise UsageError("--database-url: is missing; give it, or set DATABASE_URL in the environment")
    site = Site(
        source=options.source,
        name=options.source_name or options.source,
        base_url=options.base_url,
        client_id=os.environ.get("NAVER_CLIENT_ID") or "newsroom",
        client_secret=os.environ.get("NAVER_CLIENT_SECRET") or "newsroom",
    )
    logging.basicConfig(level=logging.WARNING, format="crawler: %(message)s", stream=sys.stderr)
    started = time.monotonic()
    result = crawl(config.crawl, site, url)
    print(result.summary(time.monotonic() - started), flush=True)
    return result.code()
