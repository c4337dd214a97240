"""`korbert benchmarks`: which tasks there are, what their files hold, the files themselves, and scores reported."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from korbert import tasks
from korbert.console import command, group
from korbert.errors import UsageError
from korbert.tasks import Task

SHOWN_LABELS = 8


def add(commands: Any) -> None:
    """Registers the commands."""
    actions = group(commands, "benchmarks", "The benchmark tasks, their original files, and reports of scores.")
    command(actions, "list", _list, "Every task: labels, head, metrics, files, licence, source.").add_argument(
        "--data", metavar="DIR", type=Path, help="count the rows too; DIR holds a folder a task, as `get` makes them"
    )
    parser = command(actions, "inspect", _inspect, "Rows by split and label, lengths, repeated rows, examples.")
    parser.add_argument("task", metavar="TASK", help=f"one of: {', '.join(tasks.names())}")
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder with the task's files")
    parser = command(actions, "get", _get, "Download a task's original files from their owners, and verify them.")
    parser.add_argument("task", metavar="TASK", help=f"one of: {', '.join(tasks.names())}")
    parser.add_argument("--to", metavar="DIR", type=Path, help="default: benchmarks/TASK")
    _add_report(actions)


def _add_report(actions: Any) -> None:
    parser = command(actions, "report", _report, "Our scores beside the published ones, and the errors behind them.")
    parser.add_argument(
        "scores", metavar="[NAME=]PATH", nargs="+", help="a run, what `korbert finetune` wrote, or a folder of these"
    )
    parser.add_argument("--format", choices=("text", "md", "latex", "html"), default="text", help="default: text")
    parser.add_argument("--output", metavar="DIR", type=Path, help="write every format and the charts there")
    parser.add_argument("--json", action="store_true", help="print the scores and the published rows as JSON instead")
    parser.add_argument("--errors", metavar="N", type=int, default=0, help="measures by label, and N errors of a kind")
    parser.add_argument(
        "--split", choices=("test", "validation"), default="test", help="rows that errors are listed of; default: test"
    )


def _list(options: argparse.Namespace) -> int:
    for name in tasks.names():
        print("\n".join(_described(name, tasks.task(name), options.data)))
    return 0


def _described(name: str, task: Task, data: Path | None) -> list[str]:
    labels = ", ".join(task.labels[:SHOWN_LABELS]) + (", ..." if len(task.labels) > SHOWN_LABELS else "")
    lines = [
        f"{name}: head {task.head}, metric {', '.join((task.metric, *task.also))}",
        f"  labels: {f'{len(task.labels)} ({labels})' if task.by_folder is None or task.labels else 'from the files'}",
        f"  licence: {task.licence}; source: {task.source}",
        f"  files: {', '.join(task.files(Path(f'/nowhere/{name}')))}"
        + ("; korbert benchmarks get" if task.downloads else f"; by hand: {task.by_hand or task.source}"),
    ]
    if data is not None:
        lines.append(f"  rows: {_rows(task, data / name)}")
    return lines


def _rows(task: Task, folder: Path) -> str:
    if not folder.is_dir():
        return f"no folder {folder}"
    try:
        found = task.at(folder)
        parts = {"train": found.train, "validation": found.validation, "test": found.test}
        return ", ".join(f"{name} {len(read(folder).texts):,}" for name, read in parts.items() if read is not None)
    except UsageError as error:
        return str(error)


def _inspect(options: argparse.Namespace) -> int:
    from korbert.benchmarks import inspect

    for line in inspect.report(_task(options.task), options.data):
        print(line)
    return 0


def _get(options: argparse.Namespace) -> int:
    from korbert.benchmarks import download

    download.get(options.task, _task(options.task), options.to or Path("benchmarks") / options.task, print)
    return 0


def _report(options: argparse.Namespace) -> int:
    from korbert.benchmarks.scored import read_scores
    from korbert.report import benchmarks

    if options.errors < 0:
        raise UsageError(f"--errors {options.errors}: must be 0 (none) or more")
    report = benchmarks.Report.of(read_scores(options.scores), options.errors, options.split)
    page = benchmarks.write(report, options.output) if options.output else None
    if options.json:
        print(json.dumps(report.data(), ensure_ascii=False, indent=1))
    elif page is None:
        print(report.form(options.format), end="")
    else:
        print(f"report: {page}")
    return 0


def _task(name: str) -> Task:
    if name not in tasks.names():
        raise UsageError(f"task {name!r}: must be one of: {', '.join(tasks.names())}")
    return tasks.task(name)
