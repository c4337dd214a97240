"""The audit log: what every worker trained on, step by step, and the proof that nothing was lost or repeated.

Each rank of each attempt (a start of the workers) writes a file of its own, a line a step, before its gradients leave
for the other ranks: a step that is complete on any rank has the lines of all, even of one that is lost at once. An
attempt that resumes from a checkpoint undoes what earlier attempts did after it: the effective history is, for every
step, the last attempt that began at or before it.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from korbert.data.loader import StepBatch
from korbert.data.steps import Order

_NAME = re.compile(r"attempt-(\d+)-rank-(\d+)\.jsonl")


def file_name(attempt: int, rank: int) -> str:
    """Name of the file that one rank of one attempt writes."""
    return f"attempt-{attempt}-rank-{rank}.jsonl"


def attempts(folder: Path) -> list[int]:
    """Numbers of the attempts that have a file in `folder`, ascending."""
    return sorted({int(match[1]) for path in folder.glob("*.jsonl") if (match := _NAME.fullmatch(path.name))})


class AuditLog:
    """One rank's file in one attempt."""

    def __init__(self, folder: Path, attempt: int, rank: int, world: int) -> None:
        """Creates the file; it must not exist: an attempt's number is used once."""
        folder.mkdir(parents=True, exist_ok=True)
        self._head = {"attempt": attempt}
        self._tail = {"rank": rank, "world": world}
        # No buffer of ours: a line is one write(2).
        self._file = (folder / file_name(attempt, rank)).open("xb", buffering=0)

    def record(self, batch: StepBatch) -> None:
        """Notes a step before its gradients leave; the line reaches the operating system and so survives `kill -9`.

        Raises:
            OSError: when the disk fails or is full.
        """
        step = {"epoch": batch.epoch, "step": batch.step_in_epoch}
        line = memoryview((json.dumps(self._head | step | self._tail | {"samples": batch.samples}) + "\n").encode())
        while line:
            line = line[self._file.write(line) or 0 :]

    def sync(self) -> None:
        """Waits until all lines are on the disk: called before a checkpoint that builds on their steps."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


@dataclass(frozen=True)
class AuditReport:
    """What the log proves."""

    epochs: int = 0
    """Epochs completed."""
    steps: int = 0
    """Steps in the effective history."""
    samples: int = 0
    """Samples in the effective history."""
    lost: int = 0
    """Samples that the order of a step up to the end asks for and no worker trained on."""
    repeated: int = 0
    """Samples trained on more than once in an epoch."""
    misplaced: int = 0
    """Samples trained on in a step to which the order does not give them."""
    attempts: int = 0
    """Starts of the workers."""
    replayed_steps: int = 0
    """Steps begun, and done again by a later attempt: those since its checkpoint, and the one in which it was lost."""
    undone_steps: int = 0
    """Of these the ones known to be complete: an attempt that began a step had completed those before it."""
    worlds: list[int] = field(default_factory=list)
    """World sizes of the attempts that took part."""

    @property
    def clean(self) -> bool:
        """Every sample of every step was trained on once, in its place."""
        return self.lost == self.repeated == self.misplaced == 0

    def as_dict(self) -> dict[str, Any]:
        """All fields and `clean`, for JSON."""
        return asdict(self) | {"clean": self.clean}


_COUNTED = ("steps", "samples", "lost", "repeated", "misplaced", "replayed_steps", "undone_steps")


class _Line(NamedTuple):
    step: int
    world: int
    samples: list[int]


def audit(folder: Path, order: Order, samples: int, steps: int) -> AuditReport:
    """Checks the log in `folder` against the order of the first `steps` steps.

    Streams: memory is that of one step and of one bit a sample, however long the training was.

    Args:
        folder: the audit folder, files of all attempts.
        order: what each step ought to hold.
        samples: number of samples, the ids being 0 to samples - 1; those of short epochs are known to the order.
        steps: steps the training ought to have done.
    """
    numbers = attempts(folder)
    starts = [_first_step(folder, attempt, order) for attempt in numbers]
    report: dict[str, Any] = dict.fromkeys(_COUNTED, 0)
    worlds: set[int] = set()
    seen, expected = np.zeros(max(samples, order.samples(0)), dtype=np.bool_), 0
    for position, attempt in enumerate(numbers):
        undone = min(starts[position + 1 :], default=steps)
        again = 0
        for step, lines in itertools.groupby(_lines(folder, attempt, order), key=lambda line: line.step):
            if step >= undone:
                again += 1
                continue
            report["lost"] += sum(len(order.ids(missing)) for missing in range(expected, step))
            seen, expected = (seen if _same_epoch(order, expected, step) else np.zeros_like(seen)), step + 1
            found = list(lines)
            worlds |= {line.world for line in found}
            _compare(report, [i for line in found for i in line.samples], order.ids(step), seen)
        report["replayed_steps"] += again
        report["undone_steps"] += max(0, again - 1)
    report["lost"] += sum(len(order.ids(missing)) for missing in range(expected, steps))
    epochs = order.place(expected).epoch
    return AuditReport(epochs=epochs, attempts=len(numbers), worlds=sorted(worlds), **report)


def _same_epoch(order: Order, expected: int, step: int) -> bool:
    """Whether the step belongs to the epoch of the one before it."""
    return expected > 0 and order.place(step).number > 0 and order.place(expected - 1).epoch == order.place(step).epoch


def _compare(report: dict[str, Any], found: list[int], wanted: Iterable[int], seen: np.ndarray[Any, Any]) -> None:
    right = {int(sample) for sample in wanted}
    report["steps"] += 1
    report["samples"] += len(found)
    report["lost"] += len(right - set(found))
    for sample in found:
        if sample not in right:
            report["misplaced"] += 1
        elif seen[sample]:
            report["repeated"] += 1
        else:
            seen[sample] = True


def _first_step(folder: Path, attempt: int, order: Order) -> float:
    """The step an attempt began with; infinity when it began none and so undid nothing."""
    return min((line.step for line in itertools.islice(_lines(folder, attempt, order), 1)), default=float("inf"))


def _lines(folder: Path, attempt: int, order: Order) -> Iterator[_Line]:
    """An attempt's lines of all ranks, by step."""
    files = sorted(path for path in folder.glob(f"attempt-{attempt}-rank-*.jsonl"))
    return heapq.merge(*(_file_lines(path, order) for path in files), key=lambda line: line.step)


def _file_lines(path: Path, order: Order) -> Iterator[_Line]:
    """A file's whole lines. A torn one (the writer was killed) counts as not written: its step was not exchanged."""
    with path.open("rb") as handle:
        for raw in handle:
            try:
                record = json.loads(raw)
                step = order.first_step(record["epoch"]) + record["step"]
                line = _Line(step, record["world"], record["samples"])
            except (ValueError, KeyError, TypeError):
                continue
            yield line
