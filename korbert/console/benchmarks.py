"""`korbert benchmarks`: which tasks there are, what their files hold, and the files themselves."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from korbert import tasks
from korbert.console import command, group
from korbert.errors import UsageError
from korbert.tasks import Task

SHOWN_LABELS = 8


def add(commands: Any) -> None:
    """Registers the commands."""
    actions = group(commands, "benchmarks", "The benchmark tasks and their original files.")
    command(actions, "list", _list, "Every task: labels, head, metrics, files, licence, source.").add_argument(
        "--data", metavar="DIR", type=Path, help="count the rows too; DIR holds a folder a task, as `get` makes them"
    )
    parser = command(actions, "inspect", _inspect, "Rows by split and label, lengths, repeated rows, examples.")
    parser.add_argument("task", metavar="TASK", help=f"one of: {', '.join(tasks.names())}")
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder with the task's files")
    parser = command(actions, "get", _get, "Download a task's original files from their owners, and verify them.")
    parser.add_argument("task", metavar="TASK", help=f"one of: {', '.join(tasks.names())}")
    parser.add_argument("--to", metavar="DIR", type=Path, help="default: benchmarks/TASK")


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


def _task(name: str) -> Task:
    if name not in tasks.names():
        raise UsageError(f"task {name!r}: must be one of: {', '.join(tasks.names())}")
    return tasks.task(name)
