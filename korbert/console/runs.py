"""`korbert runs`: pre-trainings listed, and their losses in one figure; also what a training leaves of itself."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from korbert import pipeline
from korbert.chain import Workspace
from korbert.console import command, group
from korbert.errors import UsageError, WorldError
from korbert.report import compare, training
from korbert.report.read import read
from korbert.report.runs import Run
from korbert.storage import write_bytes

PICTURE, TEXT = "runs.png", "runs.txt"
SUMMARY, CURVES = "summary.txt", "curves.png"
"""What a training leaves of itself, in its artefact's folder."""


def add(commands: Any) -> None:
    """Registers the commands."""
    actions = group(commands, "runs", "List runs, and compare their pre-trainings.")
    listing = command(actions, "list", _list, "Print every run's pre-training, a line each.")
    comparing = command(actions, "compare", _compare, "Draw several runs' losses in one figure; print a table.")
    comparing.add_argument("names", metavar="RUN", nargs="+", help="a run's name under --runs, or its folder")
    comparing.add_argument(
        "--output", metavar="DIR", type=Path, default=Path("."), help=f"where {PICTURE} is written; default: here"
    )
    for parser in (listing, comparing):
        parser.add_argument("--runs", metavar="DIR", type=Path, default=Path("runs"), help="default: runs")


def summarize(workspace: Workspace) -> str:
    """Leaves words and a picture of one training in its folder; answers the words, and where the picture lies.

    Raises:
        WorldError: when the disk fails.
    """
    (run,), folder = read([workspace]), workspace.path("pretrain")
    whole = training.text(run)
    try:
        write_bytes(folder / SUMMARY, (whole + "\n").encode())
        if content := training.picture(run):
            write_bytes(folder / CURVES, content)
            whole += f"\ncurves: {folder / CURVES}"
    except OSError as error:
        raise WorldError(f"{folder}: {error.strerror}; free space and run the same command again") from error
    return whole


def _list(options: argparse.Namespace) -> int:
    found = pipeline.workspaces(options.runs)
    if not found:
        raise UsageError(f"--runs {options.runs}: holds no run; start one with: korbert run demo")
    runs = read(found)
    print(compare.table(runs))
    for run in runs:
        if compare.row(run) is None:
            print(f"{run.name}: no pre-training yet")
    return 0


def _compare(options: argparse.Namespace) -> int:
    runs = read([_workspace(name, options.runs) for name in options.names])
    for run, name in zip(runs, options.names, strict=True):
        if compare.row(run) is None:
            raise UsageError(f"{name}: has no curve yet; train it with: korbert run RECIPE --to pretrain")
    options.output.mkdir(parents=True, exist_ok=True)
    print(_write(runs, options.output, TEXT, PICTURE))
    return 0


def _workspace(name: str, runs: Path) -> Workspace:
    for place in (runs / name, Path(name)):
        if (place / "config.json").is_file():
            return Workspace(place)
    there = ", ".join(workspace.root.name for workspace in pipeline.workspaces(runs)) or "none"
    raise UsageError(f"{name}: is no run; under {runs} there are: {there}")


def _write(runs: Sequence[Run], folder: Path, text: str, picture: str) -> str:
    """Writes both files and answers the text; without matplotlib there is no picture."""
    parts = [compare.table(runs), compare.differences(runs) if len(runs) > 1 else ""]
    parts += ["\n".join(f"{run.name}: {note}" for note in run.notes) for run in runs if run.notes]
    whole = "\n\n".join(part for part in parts if part)
    try:
        write_bytes(folder / text, (whole + "\n").encode())
        if importlib.util.find_spec("matplotlib") is not None and (charts := compare.loss_curves(runs)):
            from korbert.report import png

            write_bytes(folder / picture, png.curves(charts, "Pre-training: " + ", ".join(run.name for run in runs)))
            whole += f"\n\nfigure: {folder / picture}"
    except OSError as error:
        raise WorldError(f"{folder}: {error.strerror}; free space or choose another folder") from error
    return whole
