"""Real workers under torchrun, one of them killed: what the survivors save, and that nothing completed is lost.

Checkpoints at intervals are off in these trainings: whatever a recovery takes up, a survivor has saved.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from korbert.chain import Workspace
from korbert.config import Config
from korbert.data.audit import audit
from korbert.training import launch
from korbert.training.course import course
from korbert.training.journal import BEGUN

MakeWorkspace = Callable[..., tuple[Config, Workspace]]
# A limit for what must happen at all, on a machine that others use too.
PATIENCE = 240.0
NEVER = "training.checkpoint_every=1000000"
DRIVER = """
import sys
from pathlib import Path
from korbert.chain import Workspace
from korbert.training import launch
workspace = Workspace(Path(sys.argv[1]))
launch.run(workspace.load(), workspace)
"""


def _metrics(workspace: Workspace) -> list[dict[str, float]]:
    return [json.loads(line) for line in (workspace.path("pretrain") / "metrics.jsonl").read_text().splitlines()]


def _losses(workspace: Workspace) -> list[tuple[float, ...]]:
    return [tuple(line[key] for key in ("step", "mlm", "sop", "grad_norm")) for line in _metrics(workspace)]


def _lines(workspace: Workspace, attempt: int, rank: int) -> int:
    """Whole lines that a rank has written in an attempt: steps it has begun."""
    path = workspace.path("pretrain") / "audit" / f"attempt-{attempt}-rank-{rank}.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _rank(workspace: Workspace, rank: int) -> int:
    """The process id of the worker that has opened a rank's audit file."""
    wanted = str(workspace.path("pretrain") / "audit" / f"attempt-0-rank-{rank}.jsonl")
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(link) == wanted for link in (entry / "fd").iterdir()):
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError(f"nobody writes {wanted}")


def _await(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.005)


@contextmanager
def _driver(workspace: Workspace) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", DRIVER, str(workspace.root)]) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_worker_loses_no_completed_step(
    make_workspace: MakeWorkspace, undisturbed: Workspace, victim: int
) -> None:
    config, workspace = make_workspace("model.dropout=0.0", NEVER, "training.max_restarts=1")
    with _driver(workspace) as driver:
        _await(lambda: _lines(workspace, 0, victim) >= 7)
        os.kill(_rank(workspace, victim), signal.SIGKILL)
        # The lines that the killed rank has begun: all before the last were complete on every rank.
        completed = _lines(workspace, 0, victim) - 1
        assert driver.wait(PATIENCE) == 0
    training = course(config, workspace)
    begun = [event["step"] for event in training.journal.read() if event["event"] == BEGUN]
    assert len(begun) == 2
    assert begun[1] >= completed >= 6
    report = audit(training.audit, training.order, len(training.samples), training.steps)
    assert report.clean
    assert (report.undone_steps, report.attempts) == (0, 2)
    assert _losses(workspace) == _losses(undisturbed)


def test_a_training_with_its_checkpoints_in_an_object_store_is_the_undisturbed_one(
    make_workspace: MakeWorkspace, undisturbed: Workspace, bucket: str
) -> None:
    config, workspace = make_workspace(
        "model.dropout=0.0", NEVER, "training.max_restarts=1", f"training.checkpoint_url={bucket}/run"
    )
    with _driver(workspace) as driver:
        _await(lambda: _lines(workspace, 0, 1) >= 5)
        os.kill(_rank(workspace, 1), signal.SIGKILL)
        assert driver.wait(PATIENCE) == 0
    assert not (workspace.path("pretrain") / "checkpoints").exists()
    training = course(config, workspace)
    found = training.checkpoints.newest(pytest.fail)
    assert found is not None
    assert found.progress.step == training.steps
    assert audit(training.audit, training.order, len(training.samples), training.steps).undone_steps == 0
    assert _losses(workspace) == _losses(undisturbed)


def test_a_url_that_cannot_be_written_stops_the_training_before_a_worker_starts(
    make_workspace: MakeWorkspace, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    config, workspace = make_workspace(f"training.checkpoint_url=file://{tmp_path}/file/checkpoints")
    with pytest.raises(RuntimeError, match=r"file/checkpoints: Not a directory") as caught:
        launch.run(config, workspace)
    assert "\n" not in str(caught.value)
    assert not (workspace.path("pretrain") / "audit").exists()
