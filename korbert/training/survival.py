"""The last complete step, kept by those who survive when a peer is lost.

The state is the same on every rank, and whole between two changes by the optimiser. A step's change begins after the
exchange of its gradients, so when a peer is lost in step N + 1 each survivor has step N whole, or N + 1 where its
exchange had ended. Each saves what it has; the newest is taken up. On a device that works behind the host, the step
that the host has counted may not have been done: two stamps around each change tell.
"""

from __future__ import annotations

import fcntl
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from korbert.errors import UsageError, WorldError
from korbert.training.checkpoint import Checkpoints, Progress, Snapshot, Standing
from korbert.training.saving import Copier, Writer

# Seconds: for a change of the weights that goes on, and for another survivor that writes. Agents and Kubernetes give a
# process some 30 s to end.
_PATIENCE = 10.0
_POLL = 0.05

Warn = Callable[[str], None]


@dataclass(frozen=True)
class _Change:
    before: Any
    after: Any
    standing: Standing


class Wholeness:
    """Knows which step the weights on the device stand for, at any moment and for any thread."""

    def __init__(self, stamp: Callable[[], Any], begun: Progress) -> None:
        """`stamp` marks a place in the device's work; `begun` is where the weights stand now."""
        self._stamp, self._whole, self._lock = stamp, True, threading.Lock()
        self._done = Standing(begun)
        self._ahead: deque[_Change] = deque()

    @contextmanager
    def changing(self, after: Standing) -> Iterator[None]:
        """Around the change of weights and optimiser that leads to `after`; an error in it leaves nothing whole."""
        with self._lock:
            self._whole, before = False, self._stamp()
            yield
            self._ahead.append(_Change(before, self._stamp(), after))
            self._standing()
            self._whole = True

    def taken(self, copy: Callable[[Standing], Snapshot]) -> Snapshot | None:
        """A copy of the state of a complete step; None where there is none, or it does not come to rest."""
        if not self._lock.acquire(timeout=_PATIENCE):
            return None
        try:
            deadline = time.monotonic() + _PATIENCE
            while self._whole and time.monotonic() < deadline:
                if standing := self._standing():
                    snapshot = copy(standing)
                    if self._standing() is standing:  # else the device has gone on meanwhile
                        return snapshot
                time.sleep(_POLL)
            return None
        finally:
            self._lock.release()

    def _standing(self) -> Standing | None:
        """The step that the device has done; None while it changes the weights."""
        while self._ahead and _reached(self._ahead[0].after):
            self._done = self._ahead.popleft().standing
        return None if self._ahead and _reached(self._ahead[0].before) else self._done


class Survivor:
    """Saves the last complete step, once, from whichever thread asks first."""

    def __init__(
        self, wholeness: Wholeness, copier: Copier, writer: Writer, checkpoints: Checkpoints, lock: Path, warn: Warn
    ) -> None:
        """`lock` is a file that the survivors of one folder share, so that not each writes the same."""
        self._wholeness, self._copier, self._writer, self._checkpoints = wholeness, copier, writer, checkpoints
        self._lock, self._warn = lock, warn
        self._saved: Callable[[int], None] = lambda step: None
        self._outdated: Callable[[], bool] = lambda: False
        self._begun = 0
        self._once, self._answer = threading.Lock(), False
        self._asked = False

    def watch(self, begun: int, saved: Callable[[int], None], outdated: Callable[[], bool]) -> None:
        """Begins an attempt.

        Args:
            begun: step that its checkpoint had; one that has gone no further has nothing to keep.
            saved: told of a step that was saved.
            outdated: whether a later attempt has begun, in whose history a checkpoint of this one has no place.
        """
        self._begun, self._saved, self._outdated = begun, saved, outdated

    def save(self, reason: str) -> bool:
        """Saves the last complete step unless a checkpoint of it, or of a later one, is there.

        Never raises; a second call waits for the first and answers the same.

        Returns:
            Whether the step is safe now.
        """
        with self._once:
            if not self._asked:
                self._asked = True
                try:
                    self._answer = self._save(reason)
                except Exception as error:
                    self._warn(f"the last step could not be saved: {type(error).__name__}: {error}")
            return self._answer

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Saves the last step when the block ends by an error, which goes on. Not by one of the input or the world: a
        training that diverges must not save what it came to, and a full disk has no room."""
        try:
            yield
        except (UsageError, WorldError):
            raise
        except Exception as error:
            self.save(f"{type(error).__name__}: {error}".splitlines()[0])
            raise

    def _save(self, reason: str) -> bool:
        self._writer.settle()
        snapshot = self._wholeness.taken(self._copier.aside)
        if snapshot is None:
            self._warn(f"the weights were in change when training ended ({reason}): there is no last step to save")
            return False
        step = snapshot.standing.progress.step
        if step <= self._begun:
            return True
        if not _finite(snapshot):
            self._warn(f"step {step} is not saved: its weights are no numbers")
            return False
        with _claimed(self._lock):
            if self._outdated():
                self._warn(f"step {step} is not saved: a later attempt has begun")
                return False
            if not self._checkpoints.holds(step, self._warn):
                self._checkpoints.save(snapshot, sole=False)
                self._saved(step)
                self._warn(f"step {step}, the last complete one, is saved ({reason})")
        return True


@contextmanager
def _claimed(path: Path) -> Iterator[None]:
    """Holds the lock, or goes on without it when its holder takes too long: writing twice is allowed."""
    with path.open("a") as handle:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(_POLL)
        yield


def _finite(snapshot: Snapshot) -> bool:
    sums = (float(tensor.sum()) for tensor in snapshot.model.values() if tensor.is_floating_point())
    return all(map(math.isfinite, sums))


def _reached(stamp: Any) -> bool:
    """Whether the device has come to a stamp; those that are no events belong to devices that the host waits for."""
    query = getattr(stamp, "query", None)
    return query is None or bool(query())
