"""Progress of long work on standard error: a bar on a terminal, a line every few seconds elsewhere (logs, pods)."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_SECONDS = 10.0


class Meter:
    """What the work calls: `advance` by so many units, with a text such as tokens/s beside it."""

    def __init__(self, label: str, total: int, bar: Progress | None, done: int = 0) -> None:
        self._label, self._total, self._bar = label, total, bar
        self._done, self._first = done, done
        self._started = self._printed = time.monotonic()
        self._task = bar.add_task(label, total=total or None, completed=done, note="") if bar else None

    def advance(self, count: int = 1, note: str = "") -> None:
        """Says that `count` more units are done."""
        self._done += count
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done, note=note)
        elif time.monotonic() - self._printed >= LINE_SECONDS:
            self._printed = time.monotonic()
            print(self.line(note), file=sys.stderr, flush=True)

    def at(self, done: int, total: int, note: str = "") -> None:
        """Says where the work stands, for work that finds more of itself on its way or is shared with others."""
        self._total = total
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=total or None)
        self.advance(done - self._done, note)

    def line(self, note: str = "") -> str:
        """The state as one line of text."""
        elapsed = time.monotonic() - self._started
        parts = [f"{self._label}: {self._done:,}" + (f"/{self._total:,}" if self._total else "")]
        if note:
            parts.append(note)
        if self._total and self._done > self._first:
            left = elapsed * (self._total - self._done) / (self._done - self._first)
            parts.append(f"{left:.0f} s left")
        return ", ".join(parts)


@contextmanager
def meter(label: str, total: int, *, done: int = 0, quiet: bool = False) -> Iterator[Meter]:
    """Shows the progress of `total` units (0: unknown), `done` of which are done already."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        silent = Meter(label, total, None, done)
        if quiet:
            silent._printed = float("inf")
        yield silent
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bar:
        yield Meter(label, total, bar, done)
