"""`crawler coverage`: what was covered of each source by month, and what is missing."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import asdict
from typing import Any

from crawler import databases
from korbert.db.coverage import Coverage, Gap, Month, coverage
from korbert.errors import UsageError

BELOW_FLOOR = 3
"""Exit code when the yield of a source falls under the floor."""
SHOWN_GAPS = 20

_HEAD = ("month", "done", "capped", "failed", "open", "seen", "total", "articles", "pages", "yield")


def add(commands: Any) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser("coverage", help="What was covered by source and month, and what is missing.")
    parser.set_defaults(command=run)
    parser.add_argument("--source", default="", metavar="NAME", help="only this source; default: all")
    parser.add_argument("--since", default="", metavar="YYYY-MM", help="first month that ought to be there")
    parser.add_argument("--until", default="", metavar="YYYY-MM", help="last month that ought to be there")
    parser.add_argument(
        "--floor", type=float, default=0.9, metavar="SHARE",
        help="least share of article pages that can be read; exit code 3 below it (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")
    databases.add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Prints the coverage; answers 3 when a source's yield is under the floor."""
    if not 0 <= options.floor <= 1:
        raise UsageError(f"--floor {options.floor}: is a share: 0 to 1")
    for name, month in (("--since", options.since), ("--until", options.until)):
        if month and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
            raise UsageError(f"{name} {month}: must be a month written YYYY-MM, like 2016-01")
    with databases.opened(options) as connection:
        found = coverage(connection, options.source, options.since, options.until)
    if options.source and not found:
        raise UsageError(f"--source {options.source}: has neither slices nor articles in this database")
    if options.json:
        print(json.dumps([_record(one, options.floor) for one in found], ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(text(one, options.floor) for one in found) or "coverage: the ledger is empty")
    return BELOW_FLOOR if any(one.below(options.floor) for one in found) else 0


def text(found: Coverage, floor: float) -> str:
    """A source's table with its gaps and its verdict."""
    rows = [_HEAD, *map(_row, found.months), _sum(found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [found.source]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join((row[0].ljust(widths[0]), *cells)))
    lines.append(_gaps(found.gaps))
    if below := found.below(floor):
        lines.append(f"yield under the floor of {floor:.0%}: {', '.join(below)}; a layout may have changed")
    return "\n".join(lines)


def _gaps(gaps: list[Gap]) -> str:
    shown = [gap.first + f" to {gap.last}" * (gap.first != gap.last) + f" of {gap.of}" * bool(gap.of) for gap in gaps]
    more = f" and {len(gaps) - SHOWN_GAPS:,} more (--json has all)" if len(gaps) > SHOWN_GAPS else ""
    return f"gaps: {', '.join(shown[:SHOWN_GAPS]) or 'none'}{more}"


def _row(month: Month) -> tuple[str, ...]:
    slices = month.slices
    counts = (slices["done"], slices["capped"], slices["failed"], slices["pending"] + slices["leased"], month.seen)
    total = "-" if month.total is None else f"{month.total:,}"
    share = month.pages.share
    shown = (f"{month.articles:,}", f"{month.pages.fetched:,}", "-" if share is None else f"{share:.1%}")
    return (month.month or "(no month)", *(f"{count:,}" for count in counts), total, *shown)


def _sum(found: Coverage) -> tuple[str, ...]:
    whole = Month("all", pages=found.pages)
    for month in found.months:
        for state, count in month.slices.items():
            whole.slices[state] += count
        whole.seen += month.seen
        whole.articles += month.articles
        if month.total is not None:
            whole.total = (whole.total or 0) + month.total
    return _row(whole)


def _record(found: Coverage, floor: float) -> dict[str, Any]:
    return {
        "source": found.source,
        "yield": found.pages.share,
        "recent_yield": found.recent.share,
        "below_floor": found.below(floor),
        "gaps": [asdict(gap) for gap in found.gaps],
        "months": [asdict(month) | {"yield": month.pages.share} for month in found.months],
    }
