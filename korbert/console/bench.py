"""`korbert bench`: speed beside a peer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from korbert import recipes
from korbert.console import command


def add(commands: Any) -> None:
    """Registers the command."""
    from korbert.bench import PEERS

    parser = command(
        commands, "bench", _bench, "Measure speed beside a peer in the same run, medians of several rounds."
    )
    parser.add_argument("name", metavar="NAME", help=f"one of: {', '.join(PEERS)}")
    parser.add_argument("--recipe", default="tiny", metavar="RECIPE", help="model and batch shape; default: tiny")
    parser.add_argument("--against", default="", metavar="PEER", help="default: the benchmark's own")
    parser.add_argument(
        "--tokens", type=Path, metavar="DIR", help="a run's tokens artefact; default: the newest under runs/"
    )
    parser.add_argument("--articles", type=Path, metavar="FILE", help="corpus: JSON Lines with articles; default: own")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--size", type=int, default=0, metavar="N", help="articles; rows of ingest; trials of a sweep")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")


def _bench(options: argparse.Namespace) -> int:
    from korbert import bench

    measured = bench.run(
        options.name,
        recipes.recipe(options.recipe),
        against=options.against,
        tokens=options.tokens,
        articles=options.articles,
        rounds=options.rounds,
        size=options.size,
    )
    print(measured.text())
    if options.json:
        print(measured.json())
    return 0
