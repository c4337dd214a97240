"""`crawler forget`: takes articles down, everywhere and for good."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from crawler import databases
from korbert.chain import Workspace
from korbert.db import crawled, takedowns
from korbert.db.connection import Connection
from korbert.db.takedowns import Forgotten, WarcRecord
from korbert.errors import UsageError
from korbert.storage import read_manifest


def add(commands: Any) -> None:
    """Adds the command's parser."""
    forget = commands.add_parser("forget", help="Delete articles in all revisions, for good; corpora become stale.")
    forget.set_defaults(command=run)
    forget.add_argument("subject", nargs="?", default="", metavar="URL|PRESS|ID", help="what is to be forgotten")
    forget.add_argument("--kind", choices=takedowns.KINDS, help="what it is; default: url if it has ://, else asked of")
    forget.add_argument("--source", default="", metavar="NAME", help="only in this source; default: in all")
    forget.add_argument("--reason", default="", metavar="TEXT", help="kept with the record: who asked, when")
    forget.add_argument("--raw-folder", type=Path, metavar="DIR", help="where the WARC files of raw pages lie")
    forget.add_argument("--dry-run", action="store_true", help="only say how many articles would go")
    databases.add_options(forget)


def run(options: argparse.Namespace) -> int:
    """Forgets, marks the corpora, prints what was done."""
    if not options.subject and options.workspace is None:
        raise UsageError("URL|PRESS|ID: is missing; without it, --workspace DIR brings a run's artefacts up to date")
    with databases.opened(options) as connection:
        corpora: list[str] = []
        if options.subject:
            kind = options.kind or _kind(connection, options.subject, options.source)
            if options.dry_run:
                count = takedowns.matching(connection, kind, options.subject, source=options.source)
                print(f"forget: {count:,} articles have the {kind} {options.subject}; nothing was deleted")
                return 0
            gone = _forget(connection, kind, options)
            corpora += gone.workspaces
        if options.workspace is not None and str(options.workspace.resolve()) not in corpora:
            corpora.append(str(options.workspace.resolve()))
        for folder in corpora:
            print(_marked(connection, Workspace(Path(folder))))
    return 0


def _forget(connection: Connection, kind: str, options: argparse.Namespace) -> Forgotten:
    erase = _eraser(options.raw_folder) if options.raw_folder else None
    gone = takedowns.forget(
        connection, kind, options.subject, source=options.source, reason=options.reason, erase=erase
    )
    print(
        f"forget: {gone.articles:,} articles and {gone.pages:,} raw pages of the {kind} {options.subject} deleted; "
        "it will not be stored again"
    )
    return gone


def _eraser(folder: Path) -> Callable[[Sequence[WarcRecord]], None]:
    from crawler.warcs import erase

    return partial(erase, folder)


def _kind(connection: Connection, subject: str, source: str) -> str:
    """url, press or id, by what is stored.

    Raises:
        UsageError: when that does not decide it.
    """
    if "://" in subject:
        return "url"
    stored = [kind for kind in ("press", "id") if takedowns.matching(connection, kind, subject, source=source)]
    if len(stored) != 1:
        found = "is both a press and an id" if stored else "is no press and no id that is stored"
        raise UsageError(f"{subject}: {found}; say which by --kind press or --kind id")
    return stored[0]


def _marked(connection: Connection, workspace: Workspace) -> str:
    """Makes the workspace's corpus stale; answers a line for people."""
    if not workspace.config_file.is_file():
        return (
            f"{workspace.root}: its corpus holds what was deleted, but the folder is not here; "
            f"run there: korbert crawl forget --workspace {workspace.root}"
        )
    if read_manifest(workspace.path("crawl")) is None:
        return f"{workspace.root}: has no finished crawl, so nothing that could be stale"
    if not crawled.renew(workspace, connection):
        return f"{workspace.root}: its crawl is up to date"
    return f"{workspace.root}: its corpus and all that was made from it are stale; run: korbert run"
