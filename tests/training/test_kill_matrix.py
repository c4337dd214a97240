"""The storm's strikes, one each: real agents of one worker each, one store, one training that outlives them all.

The tests share that training, in this order; the last looks at all that it came to.
"""

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from korbert.training.signs import HANG
from korbert.training.worker import failures


def _loaded() -> ModuleType:
    path = Path(__file__).parents[1] / "chaos" / "training_storm.py"
    spec = importlib.util.spec_from_file_location("training_storm", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up there.
    sys.modules["training_storm"] = module
    spec.loader.exec_module(module)
    return module


storm = _loaded()
STRUCK: list[object] = []


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Two agents at work."""
    field = storm.Field(tmp_path_factory.mktemp("matrix"))
    try:
        field.launch(2)
        field.go_on()
        yield field
    finally:
        field.end(signal.SIGKILL)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("blow", "workers", "causes"),
    [
        pytest.param("worker_killed", 2, {"killed"}, id="a worker killed"),
        pytest.param("leader_killed", 2, {"killed"}, id="rank 0 killed"),
        pytest.param("agent_killed", 1, {"killed"}, id="a node lost: one goes on alone"),
        pytest.param("agent_joins", 2, {""}, id="a node joins: two again"),
        pytest.param("worker_stopped", 2, {""}, id="SIGTERM to a worker alone"),
        pytest.param("store_killed", 2, {"", "killed"}, id="the store lost"),
        pytest.param("worker_frozen", 2, {"hang"}, id="a worker frozen for longer than the timeout"),
        pytest.param("stopped_while_a_peer_is_frozen", 2, {"stopped"}, id="SIGTERM while a peer is frozen"),
        pytest.param("disk_full", 2, {"world"}, id="no room for a checkpoint"),
        pytest.param(
            "all_killed_and_the_newest_checkpoint_truncated", 2, {"killed"}, id="all killed, a checkpoint torn"
        ),
        pytest.param("agent_stopped", 1, {"", "killed"}, id="SIGTERM to one agent"),
    ],
)
def test_the_training_goes_on_after(field, blow: str, workers: int, causes: set[str]) -> None:
    recoveries = len(field.events(storm.RECOVERED))
    struck = storm.strike(field, getattr(storm, blow))
    STRUCK.append(struck)
    assert struck.workers == workers
    assert struck.cause in causes
    assert len(field.events(storm.RECOVERED)) - recoveries == (1 if struck.cause else 0)
    if struck.keeps:
        assert struck.lost == 0


def test_the_frozen_rank_was_named_and_the_others_stacks_are_in_their_logs(field) -> None:
    told = [failure for failure in failures(field.workspace).read() if failure.kind == HANG]
    assert told
    assert all("rank 1 (pid" in failure.message and "no sign for" in failure.message for failure in told)
    assert "most recent call first" in Path(told[0].log).read_text()


def test_a_worker_frozen_for_a_moment_goes_on_as_if_nothing_had_been(field) -> None:
    pid = field.worker(-1)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(1)  # peers end the step that they are in
    attempt, step = field.last()
    time.sleep(2)
    assert field.last() == (attempt, step)
    os.kill(pid, signal.SIGCONT)
    field.wait(lambda: field.last()[1] > step + 5, "steps after the freeze")
    assert (field.last()[0], field.worker(-1)) == (attempt, pid)


def test_in_the_end_the_audit_is_clean_and_the_curve_is_the_undisturbed_one(field) -> None:
    field.go_on(1, after=field.last()[0] - 1)
    field.end(signal.SIGTERM)
    assert STRUCK
    assert storm.verdict(field, STRUCK) == []
