"""`korbert bench`: speed beside a peer."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from korbert import recipes
from korbert.config import overridden
from korbert.console import add_settings, command


def add(commands: Any) -> None:
    """Registers the command."""
    from korbert.bench import PEERS

    parser = command(
        commands, "bench", _bench, "Measure speed beside a peer in the same run, medians of several rounds."
    )
    parser.add_argument("name", metavar="NAME", help=f"one of: {', '.join(PEERS)}")
    parser.add_argument("--recipe", default="tiny", metavar="RECIPE", help="model and batch shape; default: tiny")
    parser.add_argument("--against", default="", metavar="PEER", help="default: the benchmark's own; pretrain: none")
    parser.add_argument(
        "--tokens", type=Path, metavar="DIR", help="a run's tokens artefact; default: the newest under runs/"
    )
    parser.add_argument("--text", type=Path, metavar="FILE", help="pretrain: articles, encoded for this measurement")
    parser.add_argument(
        "--max-tokens", type=int, metavar="N",
        help="pretrain: tokens of a sample at most; 0: the recipe's; default: 512, BERT's",
    )  # fmt: skip
    parser.add_argument(
        "--attention-dropout", type=float, metavar="P",
        help="the peer's dropout of attention weights (ours has none); default: as model.dropout, or the encoder's",
    )  # fmt: skip
    parser.add_argument("--articles", type=Path, metavar="FILE", help="corpus: JSON Lines with articles; default: own")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--size", type=int, default=0, metavar="N", help="articles; rows of ingest; trials of a sweep")
    parser.add_argument("--task", default="nsmc", metavar="TASK", help="finetune: the benchmark; default: nsmc")
    parser.add_argument("--data", default="", metavar="DIR", help="finetune, sweep: the task's files; default: own")
    parser.add_argument("--model", type=Path, metavar="DIR", help="finetune, sweep: encoder; default: one not trained")
    parser.add_argument(
        "--rows", type=int, default=0, metavar="N", help="training rows of a round, or of a sweep's trial"
    )
    parser.add_argument("--scores", action="store_true", help="finetune: evaluate both, each seed trained to the end")
    add_settings(parser)
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")


def _bench(options: argparse.Namespace) -> int:
    from korbert import bench

    config = overridden(recipes.recipe(options.recipe), options.settings)
    if options.name in ("finetune", "sweep"):
        config = replace(config, finetune=replace(config.finetune, task=options.task, data=options.data))
    measured = bench.run(
        options.name,
        config,
        against=options.against,
        tokens=options.tokens,
        text=options.text,
        max_tokens=options.max_tokens,
        attention_dropout=options.attention_dropout,
        articles=options.articles,
        rounds=options.rounds,
        size=options.size,
        rows=options.rows,
        model=options.model,
        scores=options.scores,
    )
    print(measured.text())
    if options.json:
        print(measured.json())
    return 0
