"""What a task's files hold: rows by split and label, lengths, empty and repeated texts, examples. It needs no model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from korbert.tasks import Examples, Task

SHOWN = 3
"""Examples of each split."""
LONGEST = 80
"""Characters of an example that are shown."""


def report(task: Task, folder: Path) -> Iterator[str]:
    """Lines about the files of `task` in `folder`.

    Raises:
        UsageError: for files that are missing or break the format.
    """
    task = task.at(folder)
    parts = {"train": task.train(folder), "test": task.test(folder)}
    if task.validation is not None:
        parts["validation"] = task.validation(folder)
    for name, examples in parts.items():
        yield from _split(name, examples, task)
    yield from _shared(parts)
    if remark := task.remark(folder):
        yield f"remark: {remark}"


def _split(name: str, examples: Examples, task: Task) -> Iterator[str]:
    lengths = np.asarray([sum(map(len, row)) for row in examples.rows])
    middle, high = np.percentile(lengths, [50, 99])
    yield (
        f"{name}: {len(lengths):,} rows, characters {lengths.min()}-{lengths.max():,} (median {middle:.0f}, 99% up to "
        f"{high:.0f}), {examples.empty} empty, {len(lengths) - len(set(examples.rows)):,} repeated"
    )
    yield from (f"  {count:>9,}  {label}" for label, count in _labels(examples, task))
    yield from (f"  {count:>9,}  ({kind})" for kind, count in examples.counts.items())
    yield from ("  " + " | ".join(text[:LONGEST] for text in row) for row in examples.rows[:SHOWN])


def _labels(examples: Examples, task: Task) -> Iterator[tuple[str, int]]:
    if task.head == "score":
        rounded = Counter(np.floor(examples.labels).astype(int).tolist())
        yield from ((f"score {low} to below {low + 1}", rounded[low]) for low in sorted(rounded))
    elif task.head != "span":
        numbers = Counter(examples.labels.tolist())
        yield from ((label, numbers[number]) for number, label in enumerate(task.labels))


def _shared(parts: dict[str, Examples]) -> Iterator[str]:
    names = list(parts)
    for place, first in enumerate(names):
        seen = set(parts[first].rows)
        for second in names[place + 1 :]:
            both = sum(row in seen for row in parts[second].rows)
            yield f"rows of {second} that are in {first} too: {both:,}"
