"""Texts with a label, a data set of your own: see `tasks.own` for the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from korbert.tasks import Examples, Task, own


def _read(path: Path) -> Examples:
    return own.texts(path, own.labels_of_texts(path.parent), pairs=False)


def _by_folder(folder: Path) -> dict[str, Any]:
    chosen = {"validation": lambda place: _read(place / own.VALIDATION)} if own.VALIDATION in own.files(folder) else {}
    return {"labels": own.labels_of_texts(folder), **chosen}


TASK = Task(
    labels=(),
    head="sentence",
    metric="accuracy",
    also=("macro_f1",),
    files=own.files,
    train=lambda folder: _read(folder / own.TRAIN),
    test=lambda folder: _read(folder / own.TEST),
    by_folder=_by_folder,
    licence="your own",
    source="https://jsonlines.org (the layout)",
    by_hand="any folder in the format of docs/benchmarks.md",
)
