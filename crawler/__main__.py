"""`python -m crawler newsroom` serves a local news site; `python -m crawler crawl` crawls a site into Postgres."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from korbert.chain import Workspace, shipped_articles
from korbert.commands import Parser, exit_code
from korbert.errors import UsageError, WorldError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and answers its exit code: 0, 2 for wrong input, 1 for the world, 3 for failed slices."""
    return exit_code("crawler", lambda: _run_command(arguments))


def _run_command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    return int(options.command(options))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="crawler", description="News sites into Postgres, and a local newsroom to crawl.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    newsroom = commands.add_parser("newsroom", help="Serve a local news site until SIGTERM or Ctrl-C.")
    newsroom.set_defaults(command=_newsroom)
    newsroom.add_argument("--articles", metavar="FILE", default="", help="JSON Lines (.jsonl[.zst|.gz]); default: ours")
    newsroom.add_argument("--limit", type=int, default=0, metavar="N", help="only the first N articles; 0: all")
    newsroom.add_argument("--port", type=int, default=8000, help="0: any free one (default %(default)s)")
    newsroom.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    crawl = commands.add_parser("crawl", help="Crawl a site until its ledger is empty; run again to go on.")
    crawl.set_defaults(command=_crawl)
    crawl.add_argument("--workspace", type=Path, required=True, metavar="DIR", help="folder with the run's config.json")
    crawl.add_argument("--base-url", required=True, metavar="URL", help="the site, like http://127.0.0.1:8000")
    crawl.add_argument("--database-url", default="", metavar="URL", help="default: DATABASE_URL of the environment")
    crawl.add_argument("--source", default="newsroom", help="which site it is (default %(default)s)")
    crawl.add_argument("--source-name", default="", metavar="NAME", help="its name in the database; default: --source")
    return parser


def _newsroom(options: argparse.Namespace) -> int:
    from crawler.newsroom.articles import load
    from crawler.newsroom.server import Newsroom, bind

    if options.limit < 0:
        raise UsageError(f"--limit {options.limit}: must be 0 (all) or more")
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port {options.port}: must be 0 (any free one) to 65535")
    articles = load(options.articles or shipped_articles(), limit=options.limit)
    newsroom = Newsroom(articles)
    try:
        server = bind(newsroom, options.port, options.host)
    except OSError as error:
        raise WorldError(f"--port {options.port} of {options.host}: {error.strerror}; choose another") from error

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # serve_forever runs in this thread, and shutdown waits for it.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"newsroom: {newsroom.root} ({len(articles)} articles)", flush=True)
    with server:
        server.serve_forever(poll_interval=0.1)
    return 0


def _crawl(options: argparse.Namespace) -> int:
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


if __name__ == "__main__":
    sys.exit(main())
