"""`crawler crawl`: crawls a site into Postgres until its ledger is empty."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.databases import named
from korbert.chain import Workspace
from korbert.config import CrawlConfig
from korbert.db.article import KST
from korbert.errors import UsageError, WorldError

if TYPE_CHECKING:
    from crawler.crawl import Site
    from crawler.items import Tally


def add(commands: Any) -> None:
    """Adds the command's parser."""
    crawl = commands.add_parser("crawl", help="Crawl a site until its ledger is empty; run again to go on.")
    crawl.set_defaults(command=run)
    crawl.add_argument("--workspace", type=Path, required=True, metavar="DIR", help="folder with the run's config.json")
    crawl.add_argument("--base-url", default="", metavar="URL", help="a site to ask instead of the source's own hosts")
    crawl.add_argument(
        "--database-url", default="", metavar="URL", help="default: DATABASE_URL, or the workspace's own"
    )
    crawl.add_argument("--source", default="newsroom", help="which source it is (default %(default)s)")
    crawl.add_argument("--source-name", default="", metavar="NAME", help="its name in the database; default: --source")
    crawl.add_argument("--since", metavar="DAY", help="first month or day, like 2015-01; default: crawl.since")
    crawl.add_argument("--until", metavar="DAY", help="last month or day, included; default: crawl.until")
    crawl.add_argument("--until-empty", action="store_true", help="end when the ledger is empty; this is the default")
    crawl.add_argument("--incremental", action="store_true", help="read again what may be new since the last success")
    crawl.add_argument("--dry-run", action="store_true", help="say what would be crawled and what the rights are")
    _add_outputs(crawl)


def _add_outputs(crawl: Any) -> None:
    from crawler.logs import FORMATS

    crawl.add_argument("--json", action="store_true", help="the last line of standard output is one JSON object")
    crawl.add_argument("--log", choices=FORMATS, default="auto", help="auto: text on a terminal, JSON lines elsewhere")
    crawl.add_argument("--metrics-port", type=int, metavar="PORT", help="answer Prometheus there; 0: any free port")


def run(options: argparse.Namespace) -> int:
    """Crawls, or says what it would crawl, and prints the summary; answers its exit code."""
    from crawler import logs, metrics
    from crawler.crawl import crawl
    from crawler.items import Tally

    config = _ranged(Workspace(options.workspace).load().crawl, options.since, options.until)
    if options.dry_run:
        return _rehearse(config, options)
    redact = logs.Redactor(logs.secrets_of(os.environ, options.database_url))
    logs.begin(options.log, sys.stderr, redact)
    site, tally, started = _site(options), Tally(), time.monotonic()
    with named(options) as url, _metrics(options.metrics_port, site.name, tally), _redacted(redact):
        quiet = logs.is_json(options.log, sys.stderr)
        result = crawl(config, site, url, tally=tally, redact=redact, quiet=quiet, incremental=options.incremental)
    seconds = time.monotonic() - started
    print(redact(result.summary(seconds)), flush=True)
    if options.json:
        print(json.dumps(metrics.summary(tally, result.slices, result.code(), seconds, redact)), flush=True)
    return result.code()


def _rehearse(config: CrawlConfig, options: argparse.Namespace) -> int:
    from crawler.fetching import now_utc
    from crawler.rehearsal import rehearse

    rehearsal = rehearse(config, _site(options, ask=False), now_utc().astimezone(KST).date())
    print(rehearsal.text())
    if options.json:
        print(json.dumps(rehearsal.as_dict(), ensure_ascii=False))
    return 0


def _ranged(config: CrawlConfig, since: str | None, until: str | None) -> CrawlConfig:
    """The configuration with another range.

    Raises:
        UsageError: for what is neither month nor day, or a range that ends before it begins.
    """
    return replace(config, since=since or config.since, until=until or config.until)


def _site(options: argparse.Namespace, ask: bool = True) -> Site:
    """The site, with its credentials if it is to be asked."""
    from crawler.crawl import Site, source_named

    source = source_named(options.source)
    # A stand-in takes any key; the source itself does not.
    values = [os.environ.get(name) or ("newsroom" if options.base_url else "") for name in source.credentials]
    if ask and (missing := [name for name, value in zip(source.credentials, values, strict=True) if not value]):
        raise UsageError(f"{' and '.join(missing)}: missing in the environment; {source.name} cannot be asked without")
    return Site(options.source, options.source_name or options.source, options.base_url, tuple(values))


@contextlib.contextmanager
def _redacted(redact: Callable[[str], str]) -> Iterator[None]:
    """What ends the crawl is printed too."""
    try:
        yield
    except (UsageError, WorldError) as error:
        error.args = (redact(str(error)),)
        raise


@contextlib.contextmanager
def _metrics(port: int | None, source: str, tally: Tally) -> Iterator[None]:
    if port is None:
        yield
        return
    if not 0 <= port <= 65535:
        raise UsageError(f"--metrics-port {port}: must be 0 (any free one) to 65535")
    from crawler.metrics import served

    with served(port, source, tally) as url:
        print(f"metrics: {url}", file=sys.stderr, flush=True)
        yield
