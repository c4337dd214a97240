"""One driver at a time, and none beside an earlier one's workers."""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from korbert.chain import Workspace
from korbert.errors import WorldError
from korbert.training import locks
from korbert.training.locks import STOPPING, driver_lock, sole
from korbert.training.worker import workers_lock

HOLD = """
import fcntl, sys
with open(sys.argv[1], "a") as handle:
    fcntl.flock(handle, int(sys.argv[2]))
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def _held(path: Path, kind: int) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-c", HOLD, str(path), str(kind)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(locks, "_LEFTOVERS", 0.5)
    return Workspace(tmp_path)


def test_a_training_at_work_is_told_at_once(workspace: Workspace) -> None:
    with (
        _held(driver_lock(workspace), fcntl.LOCK_EX),
        pytest.raises(WorldError, match="another training is at work"),
        sole(workspace, 600.0),
    ):
        pass


def test_a_driver_that_was_told_to_end_is_waited_for(workspace: Workspace) -> None:
    driver_lock(workspace).write_text(STOPPING)
    with _held(driver_lock(workspace), fcntl.LOCK_EX) as holder:
        with pytest.raises(WorldError, match="another training is at work"), sole(workspace, 0.0):
            pass
        holder.communicate("\n")
        with sole(workspace, 0.0):
            assert driver_lock(workspace).read_text() == ""


def test_workers_of_a_killed_driver_are_waited_for_as_long_as_they_may_take(workspace: Workspace) -> None:
    with _held(workers_lock(workspace), fcntl.LOCK_SH) as holder:
        with pytest.raises(WorldError, match="still train here after 1 s; end the processes"), sole(workspace, 0.5):
            pass
        holder.communicate("\n")
        with sole(workspace, 0.0):
            pass
