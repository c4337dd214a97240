"""`crawler reparse`: reads kept pages again with today's extractor."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from crawler import databases
from korbert.errors import UsageError
from korbert.progress import meter


def add(commands: Any) -> None:
    """Adds the command's parser."""
    reparse = commands.add_parser("reparse", help="Read kept pages again with today's extractor; no network.")
    reparse.set_defaults(command=run)
    reparse.add_argument("--source", default="", metavar="NAME", help="only this source; default: all with kept pages")
    reparse.add_argument("--layout", metavar="NAME", help="only pages that this layout fitted; '': those none fitted")
    reparse.add_argument("--raw-folder", type=Path, metavar="DIR", help="where the WARC files lie")
    databases.add_options(reparse)


def run(options: argparse.Namespace) -> int:
    """Reads again and prints a line a source."""
    from crawler.pages import parser
    from crawler.reparse import reparse
    from korbert.db import raw

    with databases.opened(options) as connection:
        kept = raw.counts(connection, parser())
        if options.source and options.source not in kept:
            there = ", ".join(kept) or "none"
            raise UsageError(f"--source {options.source}: has no kept pages (crawl.raw); those that have: {there}")
        for source, (pages, outdated) in kept.items():
            if options.source in ("", source):
                with meter(f"reparse {source}", outdated) as progress:
                    result = reparse(
                        connection, source, layout=options.layout, raw_folder=options.raw_folder, progress=progress
                    )
                numbers = ", ".join(f"{count:,} {name}" for name, count in vars(result).items())
                print(f"reparse {source}: {pages:,} pages kept; {numbers}")
    return 0
