"""One driver at a time in a workspace, and none beside the workers that an earlier one has left."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from korbert.chain import Workspace
from korbert.errors import WorldError
from korbert.training.worker import workers_lock

STOPPING = "stopping"
"""What a driver that was told to end writes into its lock file: one that follows it at once need only wait."""
# Seconds that workers of a killed driver have to end beyond their grace.
_LEFTOVERS = 30.0
_POLL = 0.2


@contextmanager
def sole(workspace: Workspace, grace: float) -> Iterator[None]:
    """Holds the training's lock; waits for a driver that is about to end, and for a killed driver's last workers.

    Args:
        workspace: of the training.
        grace: seconds that workers have to end, `training.grace_seconds`.

    Raises:
        WorldError: when another training is at work here.
    """
    with driver_lock(workspace).open("a+") as lock, workers_lock(workspace).open("a") as workers:
        _await_driver(lock, workspace, _LEFTOVERS + grace)
        lock.truncate(0)
        _await_workers(workers, workspace, _LEFTOVERS + grace)
        yield


def driver_lock(workspace: Workspace) -> Path:
    """The file that a driver holds a lock on while it lives."""
    return workspace.root / ".pretrain.lock"


def _await_driver(lock: IO[str], workspace: Workspace, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            if lock.read() != STOPPING or time.monotonic() > deadline:
                raise WorldError(
                    f"{workspace.path('pretrain')}: another training is at work here; wait for it or stop it"
                ) from error
            time.sleep(_POLL)


def _await_workers(workers: IO[str], workspace: Workspace, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(workers, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fcntl.flock(workers, fcntl.LOCK_UN)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise WorldError(
                    f"{workspace.path('pretrain')}: workers of an earlier run still train here after "
                    f"{patience:.0f} s; end the processes that hold {workers.name}"
                ) from error
            time.sleep(_POLL)
