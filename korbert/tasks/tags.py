"""Sentences with a tag a word, a data set of your own: see `tasks.own` for the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from korbert.tasks import Examples, Task, own


def _read(path: Path) -> Examples:
    return own.tagged(path, own.labels_of_tags(path.parent))


def _by_folder(folder: Path) -> dict[str, Any]:
    chosen = {"validation": lambda place: _read(place / own.VALIDATION)} if own.VALIDATION in own.files(folder) else {}
    return {"labels": own.labels_of_tags(folder), **chosen}


TASK = Task(
    labels=(own.OUTSIDE,),
    head="words",
    metric="entity_f1",
    files=own.files,
    train=lambda folder: _read(folder / own.TRAIN),
    test=lambda folder: _read(folder / own.TEST),
    by_folder=_by_folder,
    licence="your own",
    source="https://jsonlines.org (the layout)",
    by_hand="any folder in the format of docs/benchmarks.md",
)
