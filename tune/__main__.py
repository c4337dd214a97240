"""`python -m tune --workspace DIR`: the sweep of a run's config, as a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from korbert.chain import Workspace
from korbert.commands import Parser, exit_code
from korbert.storage import read_json
from tune import sweep


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the sweep and prints the winner; answers the exit code."""
    return exit_code("tune", lambda: _run_command(arguments))


def _run_command(arguments: Sequence[str] | None) -> int:
    parser = Parser(prog="python -m tune", description="Hyper-parameter sweep of fine-tuning.")
    parser.add_argument("--workspace", type=Path, required=True, help="folder of a run: config.json and an export")
    workspace = Workspace(parser.parse_args(arguments).workspace)
    sweep.run(workspace.load(), workspace)
    print(_sentence(read_json(workspace.path("tune") / "best.json")))
    return 0


def _sentence(best: dict[str, object] | None) -> str:
    if best is None:
        return "no trials: tune.trials = 0"
    settings = " ".join(f"--set {text}" for text in best["set"])  # type: ignore[attr-defined]
    return f"best of the sweep: trial {best['trial']}, validation {best['validation']:.4f}: {settings}"


if __name__ == "__main__":
    sys.exit(main())
