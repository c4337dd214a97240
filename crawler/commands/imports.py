"""`crawler import`: the articles of a file into Postgres by COPY."""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec
from fsspec.core import url_to_fs

from crawler import databases
from korbert.db import marks
from korbert.db.article import KST
from korbert.db.bulk import Copied, copy_in
from korbert.db.connection import Connection
from korbert.errors import UsageError
from korbert.progress import meter

if TYPE_CHECKING:
    from crawler.archives import Origin

PUBLISHERS = {"jsonl": "jsonl", "warc": "cc_news", "wikipedia": "wikipedia"}
"""Kind of file to the source whose rights hold where no other is named."""

_IDENTITY_BYTES = 1 << 20


def add(commands: Any) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser("import", help="Store the articles of a file; run again to go on.")
    parser.set_defaults(command=run)
    parser.add_argument("kind", choices=sorted(PUBLISHERS), metavar="KIND", help=f"one of: {', '.join(PUBLISHERS)}")
    parser.add_argument("file", metavar="FILE", help="path or fsspec URL, plain or compressed")
    parser.add_argument("--source", default="", metavar="NAME", help="its name in the database; default: the kind's")
    parser.add_argument("--permissions", default="", metavar="TOML", help="permissions held; default: the workspace's")
    parser.add_argument("--from-start", action="store_true", help="read all of it again; the result is the same")
    databases.add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Imports and prints what was found."""
    origin = _origin(options)
    file = identity(options.file)
    skipped: Counter[str] = Counter()
    with databases.opened(options) as connection:
        found = _import(connection, options, origin, file, skipped)
    counts = found.counts
    parts = [f"{counts.new:,} new, {counts.changed:,} changed, {counts.unchanged:,} unchanged"]
    parts += [f"{counts.refused:,} taken down"] * bool(counts.refused)
    parts += [f"{count:,} skipped ({reason})" for reason, count in sorted(skipped.items())]
    parts += [f"{found.before:,} read before"] * bool(found.before)
    print(f"import {origin.source}: {'; '.join(parts)}")
    return 0


def identity(path: str) -> str:
    """What stands for a file's content without reading all of it: name, size, and SHA-256 of its first MiB.

    Raises:
        UsageError: when it cannot be read.
    """
    try:
        system, place = url_to_fs(path)
        size = system.size(place)
        with fsspec.open(path, "rb") as handle:
            head = hashlib.sha256(handle.read(_IDENTITY_BYTES)).hexdigest()
    except (OSError, ValueError, ImportError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UsageError(f"{path}: {' '.join(reason.split())}; name a file that exists and can be read") from error
    return f"{PurePosixPath(place).name} {size} {head}"


def _import(
    connection: Connection, options: argparse.Namespace, origin: Origin, file: str, skipped: Counter[str]
) -> Copied:
    from crawler.archives import READERS

    if options.from_start:
        marks.forget_import(connection, origin.source, file)
    before = marks.imported(connection, origin.source, file)
    articles = READERS[options.kind](options.file, before.position, origin, skipped)
    with meter("import, articles", 0, done=before.articles) as progress:
        return copy_in(connection, articles, source=origin.source, file=file, progress=progress)


def _origin(options: argparse.Namespace) -> Origin:
    """The name and the rights of the file's articles.

    Raises:
        UsageError: when the kind's source may not be collected.
    """
    from crawler.archives import Origin
    from crawler.publishers import SOURCES
    from crawler.publishers.rights import permitted, read_permissions
    from korbert.chain import Workspace

    permissions = options.permissions
    if not permissions and options.workspace is not None:
        permissions = Workspace(options.workspace).load().crawl.permissions
    publisher = SOURCES[PUBLISHERS[options.kind]]
    grant = permitted(publisher, read_permissions(permissions), datetime.now(KST).date())
    return Origin(options.source or publisher.name, grant.licence, grant.may_train, grant.evidence)
