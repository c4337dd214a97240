"""`python -m tune --workspace DIR`: the sweep of a run's config, as a process of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from korbert.chain import Workspace
from korbert.errors import UsageError, WorldError
from korbert.storage import read_json
from tune import sweep


def main(arguments: list[str] | None = None) -> int:
    """Runs the sweep and prints the winner; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tune", description="Hyper-parameter sweep of fine-tuning.")
    parser.add_argument("--workspace", type=Path, required=True, help="folder of a run: config.json and an export")
    workspace = Workspace(parser.parse_args(arguments).workspace)
    try:
        sweep.run(workspace.load(), workspace)
        best = read_json(workspace.path("tune") / "best.json")
    except UsageError as error:
        print(f"tune: {error}", file=sys.stderr)
        return 2
    except WorldError as error:
        print(f"tune: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tune: interrupted; run again to go on", file=sys.stderr)
        return 130
    print(_sentence(best))
    return 0


def _sentence(best: dict[str, object] | None) -> str:
    if best is None:
        return "no trials: tune.trials = 0"
    settings = " ".join(f"--set {text}" for text in best["set"])  # type: ignore[attr-defined]
    return f"best of the sweep: trial {best['trial']}, validation {best['validation']:.4f}: {settings}"


if __name__ == "__main__":
    sys.exit(main())
