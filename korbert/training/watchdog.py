"""Finds a hung worker, names it, and clears the way for the training to go on.

Every worker watches all: whoever still runs when no rank has completed a step for `training.hang_timeout` seconds
writes its stacks to its own log, saves its last step, kills the culprits on its machine and ends; its agent starts the
workers anew. A culprit on a machine with no other worker is killed by its agent, once the others have ended.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from korbert.training.beats import Beat, Beats, place_of

# A moment, in seconds: between two beats at most.
_EVERY = 1.0
# Part of the timeout without a beat after which a process counts as stopped.
_SILENT = 0.5
# Seconds that workers who act have for saving at least.
_SAVING = 10.0


@dataclass(frozen=True)
class Hang:
    """No rank completes steps any more."""

    seconds: float
    """Since the last completed step."""
    suspects: tuple[Beat, ...]
    """The ranks that the others wait for; none where all wait."""
    silent: bool
    """Whether the suspects give no sign of life at all."""

    def __str__(self) -> str:
        what = "no sign" if self.silent else "no step"
        return (
            "; ".join(
                f"rank {beat.rank} (pid {beat.pid} on {beat.host}): {what} for {self.seconds:.0f} s, "
                f"in step {beat.step}, {beat.place}"
                for beat in self.suspects
            )
            or f"all ranks: no step for {self.seconds:.0f} s, each waits for the others"
        )


class Standstill:
    """Judges by the beats alone; time passes only by what it is told, so that its own pauses are nobody's fault."""

    def __init__(self, timeout: float) -> None:
        """Judges a hang after `timeout` seconds without a step."""
        self._timeout = timeout
        self._seen: dict[tuple[str, int], int] = {}
        self._silence: dict[tuple[str, int], float] = {}
        self._mark: tuple[str, int] | None = None
        self._since = 0.0

    def look(self, beats: Sequence[Beat], elapsed: float) -> Hang | None:
        """The hang that the beats of one group show.

        Args:
            beats: each rank's last.
            elapsed: seconds since the look before this one, as far as the caller itself was running.
        """
        if not beats:
            return None
        mark = (beats[0].group, max(beat.step for beat in beats))
        self._since = self._since + elapsed if mark == self._mark else 0.0
        self._mark = mark
        for beat in beats:
            key = (beat.group, beat.rank)
            still = self._seen.get(key) == beat.count
            self._silence[key] = self._silence.get(key, 0.0) + elapsed if still else 0.0
            self._seen[key] = beat.count
        return self._judged(beats) if self._since >= self._timeout else None

    def _judged(self, beats: Sequence[Beat]) -> Hang:
        limit = self._timeout * _SILENT
        silent = tuple(beat for beat in beats if self._silence[beat.group, beat.rank] >= limit)
        if silent:
            return Hang(max(self._silence[beat.group, beat.rank] for beat in silent), silent, True)
        behind = min(beat.step for beat in beats)
        stuck = tuple(beat for beat in beats if not beat.waiting and beat.step == behind)
        return Hang(self._since, stuck or tuple(beat for beat in beats if not beat.waiting), False)


class Clock:
    """Seconds between two calls, at most two moments: a process that was itself stopped has seen nothing meanwhile."""

    def __init__(self, moment: float) -> None:
        self.moment, self._last = moment, time.monotonic()

    def elapsed(self) -> float:
        """Since the call before."""
        now, before = time.monotonic(), self._last
        self._last = now
        return min(now - before, 2 * self.moment)


def moment(timeout: float) -> float:
    """Seconds between two beats or looks."""
    return min(_EVERY, timeout / 10) if timeout else _EVERY


def killed(beat: Beat) -> bool:
    """Kills the worker that a beat is of; false where it is on another machine, or has gone already."""
    if beat.host != socket.gethostname():
        return False
    try:
        # The id may have passed on to another process.
        if b"korbert.training" not in Path(f"/proc/{beat.pid}/cmdline").read_bytes():
            return False
        os.kill(beat.pid, signal.SIGKILL)
    except OSError:
        return False
    return True


class Watchdog(threading.Thread):
    """Beats for this worker, and watches all."""

    def __init__(
        self, beats: Beats, own: tuple[str, int, int], timeout: float, step: Callable[[], int],
        act: Callable[[Hang], None],
    ) -> None:  # fmt: skip
        """Starts with `start()`.

        Args:
            beats: the group's files.
            own: group, rank and number of ranks.
            timeout: seconds without a step; 0: beats, and judges nobody.
            step: answers the steps that this rank has done.
            act: called once, with the hang.
        """
        super().__init__(name="watchdog", daemon=True)
        self._beats, self._own, self._timeout, self._step, self._act = beats, own, timeout, step, act
        self._watched, self._done = threading.current_thread().ident or 0, threading.Event()

    def run(self) -> None:
        """Beats until the end."""
        clock, judge, count = Clock(moment(self._timeout)), Standstill(self._timeout), 0
        while True:
            count += 1
            written = self._beats.write(self._beat(count))
            elapsed = clock.elapsed()
            # Where we cannot write, others cannot: silence then says nothing.
            hang = judge.look(self._beats.read(self._own[0]), elapsed) if written and self._timeout else None
            if hang and not self._done.is_set():
                self._act(hang)
            if hang or self._done.wait(clock.moment):
                break

    def end(self) -> None:
        """Watches no longer."""
        self._done.set()

    def _beat(self, count: int) -> Beat:
        group, rank, world = self._own
        place, waiting = place_of(self._watched)
        return Beat(group, rank, world, os.getpid(), socket.gethostname(), self._step(), place, waiting, count,
                    time.time())  # fmt: skip


class Overseer:
    """The driver's eye: it kills local workers of which none is left to do it, as a single stopped one."""

    def __init__(self, beats: Beats, timeout: float) -> None:
        """Waits longer than the workers do, who save first."""
        self._beats, self._timeout = beats, timeout
        self._clock, self._judge = Clock(moment(timeout)), Standstill(timeout * 1.25 + _SAVING)
        self._due = 0.0

    def look(self) -> Hang | None:
        """Looks, when a moment has passed; answers the hang that it has ended."""
        if not self._timeout or time.monotonic() < self._due:
            return None
        self._due = time.monotonic() + self._clock.moment
        beats = self._beats.newest()
        hang = self._judge.look(beats, self._clock.elapsed())
        # All of them: whoever could have acted has had the time to.
        ended = [beat for beat in beats if hang and killed(beat)]
        return hang if ended else None


def dump_stacks() -> None:
    """All threads' stacks, to this process' log."""
    sys.stderr.flush()
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
