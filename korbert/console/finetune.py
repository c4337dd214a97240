"""`korbert finetune`: score any encoder's folder on a benchmark, outside a workspace."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from korbert import pipeline, tasks
from korbert.config import Config, overridden
from korbert.console import add_settings, command
from korbert.errors import UsageError


def add(commands: Any) -> None:
    """Registers the command."""
    parser = command(commands, "finetune", _finetune, "Fine-tune and score an encoder's folder on a benchmark.")
    parser.add_argument("model", metavar="MODEL", type=Path, help="a folder that transformers loads: runs/demo/export")
    parser.add_argument("task", metavar="TASK", help=f"one of: {', '.join(tasks.names())}")
    parser.add_argument("--data", metavar="DIR", default="", help="folder with the task's files (docs/benchmarks.md)")
    add_settings(parser)
    parser.add_argument("--output", metavar="DIR", type=Path, help="default: scores/TASK")


def _finetune(options: argparse.Namespace) -> int:
    from korbert.benchmarks import finetune

    if not options.model.is_dir():
        raise UsageError(f"{options.model}: there is no such folder; name one that holds an encoder")
    base = Config(recipe="finetune")
    section = replace(base.finetune, task=options.task, data=options.data)
    config = overridden(replace(base, finetune=section), options.settings)
    output = options.output or Path("scores") / config.finetune.task
    print(pipeline.score_text(finetune.score(config, options.model, output)))
    return 0
