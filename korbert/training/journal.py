"""The attempts of a training: when each began, saved and ended, and what its recoveries have cost.

    {"event": "begun", "attempt": 1, "step": 200, "time": 1795348800.0, "workers": 4}

A line an event. An attempt that stopped when it was asked to leaves `ended`; one that was killed does not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BEGUN, SAVED, ENDED = "begun", "saved", "ended"


@dataclass(frozen=True)
class Recoveries:
    """What interruptions that nobody asked for have cost."""

    recoveries: int = 0
    """Attempts that took up what a killed or failed one had left."""
    seconds_lost: float = 0.0
    """Wall time from the checkpoints that they began with (or the start, before the first) to their beginning: work
    that was done again, and the time until workers stood ready."""


@dataclass(frozen=True)
class Journal:
    """The file of events."""

    path: Path
    clock: Callable[[], float] = time.time

    def note(self, event: str, attempt: int, step: int, **more: int | float | str) -> None:
        """Adds an event at a step (steps done) of an attempt."""
        line = {"event": event, "attempt": attempt, "step": step, "time": round(self.clock(), 3), **more}
        with self.path.open("a+b") as handle:
            # A killed writer may have left half a line; it gets an end of its own.
            torn = handle.tell() > 0 and self.path.read_bytes()[-1:] != b"\n"
            handle.write(b"\n" * torn + (json.dumps(line) + "\n").encode())

    def recoveries(self) -> Recoveries:
        """Of all attempts so far."""
        return recoveries(self.read())

    def read(self) -> list[dict[str, Any]]:
        """The whole lines; a torn one is left out, a file that is missing has none."""
        events = []
        for raw in self.path.read_bytes().splitlines() if self.path.exists() else ():
            try:
                events.append(json.loads(raw))
            except ValueError:
                continue
        return events


def recoveries(events: Iterable[dict[str, Any]]) -> Recoveries:
    """Counts what the events tell. Pure."""
    count, lost = 0, 0.0
    reached: dict[int, float] = {}  # when a step was last begun with or safe on the disk
    ended = True  # before the first attempt there is nothing to recover from
    for event in events:
        if event["event"] == BEGUN and not ended:
            count += 1
            lost += max(0.0, event["time"] - reached.get(event["step"], event["time"]))
        ended = event["event"] == ENDED
        reached[event["step"]] = event["time"]
    return Recoveries(count, round(lost, 3))
