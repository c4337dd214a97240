"""Signs of life: where every worker stands, in small files that all of them, and the driver, can read.

    logs/beats/rank-1.json    {"group": "9f..", "rank": 1, "pid": 4711, "step": 17, "place": "step", "count": 42, ...}

A thread of the worker replaces its file whole every moment: a stopped process leaves the count standing still, a
stuck one the step and the place.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

# Functions of these modules wait for other ranks: who stands in one of them is no suspect.
_WAITING = ("torch.distributed.", "torch.autograd.graph")
_OURS = "korbert."


@dataclass(frozen=True)
class Beat:
    """One sign of life."""

    group: str
    """Of one start of the workers: beats of another are history."""
    rank: int
    world: int
    """Ranks in the group."""
    pid: int
    host: str
    step: int
    """Steps done."""
    place: str
    """The innermost function of ours that the main thread is in."""
    waiting: bool
    """Whether it waits for other ranks there."""
    count: int
    """Beats so far."""
    time: float
    """Seconds since 1970, by the worker's own clock."""


class Beats:
    """The folder of the files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, beat: Beat) -> bool:
        """Replaces a rank's file; false where the disk fails, which is no reason to stop training."""
        path = self._folder / f"rank-{beat.rank}.json"
        neighbour = path.with_name(f".{path.name}.{beat.pid}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            neighbour.write_text(json.dumps(asdict(beat)))
            neighbour.replace(path)
        except OSError:
            with suppress(OSError):
                neighbour.unlink()
            return False
        return True

    def read(self, group: str | None = None) -> list[Beat]:
        """The ranks' last beats, by rank; of one group, or of all."""
        found = []
        for path in self._folder.glob("rank-*.json"):
            try:
                found.append(Beat(**json.loads(path.read_text())))
            except (OSError, ValueError, TypeError):
                continue
        return sorted((b for b in found if group in (None, b.group)), key=lambda beat: beat.rank)

    def newest(self) -> list[Beat]:
        """The beats of the group that has beaten last."""
        found = self.read()
        return self.read(max(found, key=lambda beat: beat.time).group) if found else []


def place_of(thread: int) -> tuple[str, bool]:
    """Where a thread of this process stands, as `function (file:line)`, and whether it waits for other ranks there."""
    frame = sys._current_frames().get(thread)
    frames: list[FrameType] = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    modules = [str(found.f_globals.get("__name__", "")) for found in frames]
    waiting = any(module.startswith(_WAITING) for module in modules)
    for found, module in zip(frames, modules, strict=True):
        if module.startswith(_OURS) and module != __name__:
            return f"{found.f_code.co_name} ({Path(found.f_code.co_filename).name}:{found.f_lineno})", waiting
    return "outside of korbert", waiting
