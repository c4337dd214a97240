"""What workers leave for the process that started them: how far they are, and why they failed."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

# Seconds between two notes of progress: often enough for a bar, too seldom to cost anything.
_EVERY = 0.25
# In a worker's place: the driver itself has told of it.
DRIVER = -1
USAGE, WORLD, FAULT, HANG, STORE, STOPPED = "usage", "world", "fault", "hang", "store", "stopped"


class ProgressFile:
    """Steps done and a note, in a file that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path, self._written = path, float("-inf")

    def write(self, step: int, note: str) -> None:
        """Notes the progress, unless that was done a moment ago."""
        if time.monotonic() - self._written >= _EVERY:
            self._written = time.monotonic()
            neighbour = self._path.with_name(f".{self._path.name}")
            neighbour.write_text(json.dumps({"step": step, "note": note}))
            neighbour.rename(self._path)

    def read(self) -> tuple[int, str] | None:
        """What was noted last; None when nothing was."""
        try:
            record = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return None
        return record["step"], record["note"]


@dataclass(frozen=True)
class Failure:
    """Why a worker ended."""

    rank: int
    """DRIVER: no worker's."""
    kind: str
    """usage (the input is wrong), world (the world is), hang (a rank stands still), store (the rendezvous' store was
    lost), stopped (SIGTERM while a peer hung) or fault (none of these: a fault of ours, or a lost peer)."""
    message: str
    log: str
    """The worker's own log."""
    time: float
    """Seconds since 1970."""


class FailureFile:
    """Failures of all workers, appended."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, rank: int, kind: str, message: str) -> None:
        """Notes a failure; where even that fails, the log alone must do."""
        try:
            log = os.readlink("/proc/self/fd/2")
            line = json.dumps(asdict(Failure(rank, kind, message, log, time.time()))) + "\n"
            with self._path.open("a") as handle:
                handle.write(line)
        except OSError:
            pass

    def cause(self, since: float) -> Failure | None:
        """The failure to report since a time: the last that tells of input or world, else the last.

        When one worker fails, its peers lose their connections; what they say of that is no cause.
        """
        recent = [failure for failure in self.read() if failure.time >= since]
        told = [failure for failure in recent if failure.kind != FAULT]
        chosen = told or recent
        return chosen[-1] if chosen else None

    def read(self) -> list[Failure]:
        """All failures, in the order in which they were noted; torn lines are left out."""
        found = []
        try:
            lines = self._path.read_text().splitlines()
        except (OSError, ValueError):
            return []
        for line in lines:
            try:
                found.append(Failure(**json.loads(line)))
            except (ValueError, TypeError):
                continue
        return found
