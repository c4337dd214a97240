"""`crawler newsroom`: serves a local news site until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading
from types import FrameType
from typing import Any

from korbert.chain import shipped_articles
from korbert.errors import UsageError, WorldError


def add(commands: Any) -> None:
    """Adds the command's parser."""
    newsroom = commands.add_parser("newsroom", help="Serve a local news site until SIGTERM or Ctrl-C.")
    newsroom.set_defaults(command=run)
    newsroom.add_argument("--articles", metavar="FILE", default="", help="JSON Lines (.jsonl[.zst|.gz]); default: ours")
    newsroom.add_argument("--limit", type=int, default=0, metavar="N", help="only the first N articles; 0: all")
    newsroom.add_argument("--port", type=int, default=8000, help="0: any free one (default %(default)s)")
    newsroom.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Serves; answers 0 when it was told to stop."""
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
