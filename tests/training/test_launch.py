"""Real processes: torchrun, two and three workers, and what may happen to them.

All trainings here have the undisturbed one's config, so their curves must be its curves.
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from safetensors.torch import load_file

from korbert.chain import Workspace
from korbert.config import Config
from korbert.errors import UsageError, WorldError
from korbert.storage import damage
from korbert.training import launch
from korbert.training.course import course
from korbert.training.device import CpuAccelerator
from korbert.training.locks import sole
from korbert.training.process_group import Group, World
from korbert.training.trainer import Trainer
from korbert.training.worker import failures

MakeWorkspace = Callable[..., tuple[Config, Workspace]]
STEPS = 26
# A limit for what must happen at all, on a machine that others use too.
PATIENCE = 120.0
DRIVER = """
import sys
from pathlib import Path
from korbert.chain import Workspace
from korbert.training import launch
workspace = Workspace(Path(sys.argv[1]))
launch.run(workspace.load(), workspace)
"""


def _lines(workspace: Workspace) -> list[dict[str, float]]:
    return [json.loads(line) for line in (workspace.path("pretrain") / "metrics.jsonl").read_text().splitlines()]


def _losses(workspace: Workspace) -> list[tuple[float, float, float]]:
    return [(line["step"], line["mlm"], line["sop"]) for line in _lines(workspace)]


def _summary(workspace: Workspace) -> dict[str, object]:
    summary: dict[str, object] = json.loads((workspace.path("pretrain") / "summary.json").read_text())
    return summary


def _processes(workspace: Workspace, *words: str) -> list[int]:
    """Ids of living processes with the workspace and all the words in their command lines."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state != "Z" and {str(workspace.root), *words} <= set(arguments):
                found.append(int(entry.name))
    return found


def _workers(workspace: Workspace) -> list[int]:
    agents = _processes(workspace, "torch.distributed.run")
    return [pid for pid in _processes(workspace, "korbert.training") if pid not in agents]


def _command(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def _awaits_sigterm(pid: int) -> bool:
    """Whether a SIGTERM was sent to a stopped process, which will take it when it goes on."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["ShdPnd"], 16) >> (signal.SIGTERM - 1) & 1)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _await(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.02)


def _audited(workspace: Workspace, attempt: int) -> int:
    """Steps that rank 0 has noted in an attempt."""
    path = workspace.path("pretrain") / "audit" / f"attempt-{attempt}-rank-0.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


@contextmanager
def _driver(workspace: Workspace) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", DRIVER, str(workspace.root)]) as process:
        try:
            yield process
        finally:
            process.kill()


def test_two_workers_train_log_audit_and_publish(undisturbed: Workspace) -> None:
    manifest = undisturbed.manifest("pretrain")
    assert damage(undisturbed.path("pretrain"), manifest, checksums=True) == ""
    assert {"model.safetensors", "metrics.jsonl", "summary.json"} <= manifest.files.keys()
    assert {"audit/attempt-0-rank-0.jsonl", "audit/attempt-0-rank-1.jsonl"} <= manifest.files.keys()
    assert not [name for name in manifest.files if name.startswith(("logs/", "checkpoints/", "wandb/"))]
    summary = _summary(undisturbed)
    assert (summary["steps"], summary["samples"], summary["restarts"]) == (STEPS, STEPS * 16, 0)
    assert summary["audit"]["clean"] is True  # type: ignore[index]
    assert summary["audit"]["worlds"] == [2]  # type: ignore[index]
    assert [line["step"] for line in _lines(undisturbed)] == list(range(1, STEPS + 1))
    assert manifest.counts["mlm"] == _lines(undisturbed)[-1]["mlm"]
    assert "decoder_bias" in load_file(undisturbed.path("pretrain") / "model.safetensors")


def test_a_finished_training_is_not_run_again(undisturbed: Workspace) -> None:
    before = undisturbed.manifest("pretrain")
    assert launch.run(undisturbed.load(), undisturbed) == before


def test_one_and_three_workers_have_the_curves_of_two(make_workspace: MakeWorkspace, undisturbed: Workspace) -> None:
    config, three = make_workspace("model.dropout=0.0", "training.workers=3")
    launch.run(config, three)
    assert _summary(three)["audit"]["worlds"] == [3]  # type: ignore[index]
    config, one = make_workspace("model.dropout=0.0")
    alone = Trainer(course(config, one), World(), CpuAccelerator(), Group(World(), None), pytest.fail)
    assert alone.run(lambda *_: None, lambda: False)
    for workspace in (one, three):
        for losses, expected in zip(_losses(workspace), _losses(undisturbed), strict=True):
            assert losses == pytest.approx(expected, abs=1e-4)


def test_a_worker_killed_in_mid_run_is_replaced_and_nothing_is_lost(
    make_workspace: MakeWorkspace, undisturbed: Workspace
) -> None:
    _, workspace = make_workspace("model.dropout=0.0", "training.max_restarts=1")
    with _driver(workspace) as driver:
        _await(lambda: _audited(workspace, 0) >= 6)
        os.kill(_workers(workspace)[-1], signal.SIGKILL)
        assert driver.wait(PATIENCE) == 0
    summary = _summary(workspace)
    assert summary["restarts"] == summary["recoveries"] == 1
    assert [recovered["cause"] for recovered in summary["recovered"]] == ["killed"]  # type: ignore[attr-defined]
    assert 0 < summary["recovered"][0]["seconds"] < PATIENCE  # type: ignore[index]
    assert summary["audit"]["clean"] is True  # type: ignore[index]
    assert summary["audit"]["undone_steps"] == 0  # type: ignore[index]
    assert _losses(workspace) == _losses(undisturbed)


def test_where_the_store_is_lost_another_is_started_and_nothing_is_lost(
    make_workspace: MakeWorkspace, undisturbed: Workspace
) -> None:
    _, workspace = make_workspace("model.dropout=0.0", "training.max_restarts=1", "training.checkpoint_every=1000")
    with _driver(workspace) as driver:
        _await(lambda: _audited(workspace, 0) >= 3)
        store = next(pid for pid in _children(driver.pid) if "korbert.training.store" in _command(pid))
        # Held where they are, the workers cannot end the training before torchrun has felt the loss.
        held = _workers(workspace)
        for pid in held:
            os.kill(pid, signal.SIGSTOP)
        os.kill(store, signal.SIGKILL)
        _await(lambda: all(_awaits_sigterm(pid) for pid in held))
        for pid in held:
            os.kill(pid, signal.SIGCONT)
        assert driver.wait(PATIENCE) == 0
    summary = _summary(workspace)
    assert summary["audit"]["replayed_steps"] == 0  # type: ignore[index]
    assert summary["logs"] == ["logs/launch-1", "logs/launch-2"]
    assert [failure.kind for failure in failures(workspace).read()][-1] == "store"
    assert _losses(workspace) == _losses(undisturbed)


def test_a_single_worker_that_is_frozen_is_ended_by_the_driver_and_replaced(make_workspace: MakeWorkspace) -> None:
    _, workspace = make_workspace("model.dropout=0.0", "training.workers=1", "training.hang_timeout=8")
    with _driver(workspace) as driver:
        _await(lambda: _audited(workspace, 0) >= 3)
        os.kill(_workers(workspace)[0], signal.SIGSTOP)
        assert driver.wait(PATIENCE) == 0
    summary = _summary(workspace)
    assert [recovered["cause"] for recovered in summary["recovered"]] == ["hang"]  # type: ignore[attr-defined]
    assert summary["audit"]["clean"] is True  # type: ignore[index]


def test_a_rank_that_is_stuck_in_a_write_is_named_while_the_other_waits_for_it(
    make_workspace: MakeWorkspace, undisturbed: Workspace, tmp_path: Path
) -> None:
    _, workspace = make_workspace("model.dropout=0.0", "training.hang_timeout=8", "training.max_restarts=1")
    metrics, kept = workspace.path("pretrain") / "metrics.jsonl", tmp_path / "kept.jsonl"
    os.mkfifo(tmp_path / "stuck")
    with _driver(workspace) as driver:
        _await(lambda: _audited(workspace, 0) >= 3 and metrics.exists())
        # A pipe that nobody reads: as a network disk that has gone, it lets its writer wait for ever.
        os.link(metrics, kept)
        os.replace(tmp_path / "stuck", metrics)
        _await(lambda: [failure for failure in failures(workspace).read() if failure.kind == "hang"])
        os.replace(kept, metrics)
        assert driver.wait(PATIENCE) == 0
    told = next(failure.message for failure in failures(workspace).read() if failure.kind == "hang")
    assert re.match(r"rank 0 \(pid \d+ on \S+\): no step for \d+ s, in step \d+, append \(metrics\.py:\d+\)$", told)
    summary = _summary(workspace)
    assert [recovered["cause"] for recovered in summary["recovered"]] == ["hang"]  # type: ignore[attr-defined]
    assert summary["audit"]["replayed_steps"] == 0  # type: ignore[index]
    assert _losses(workspace) == _losses(undisturbed)


def test_stopped_then_killed_outright_then_run_again_it_is_the_undisturbed_training(
    make_workspace: MakeWorkspace, undisturbed: Workspace
) -> None:
    config, workspace = make_workspace("model.dropout=0.0")
    with _driver(workspace) as driver:
        _await(lambda: _audited(workspace, 0) >= 2)
        driver.send_signal(signal.SIGTERM)
        assert driver.wait(PATIENCE) == 128 + signal.SIGTERM
    assert _workers(workspace) == []
    stopped = _audited(workspace, 0)
    checkpoints = workspace.path("pretrain") / "checkpoints"
    assert stopped < STEPS
    assert (checkpoints / f"step-{stopped:08d}").is_dir()
    with _driver(workspace) as driver:
        _await(lambda: _audited(workspace, 1) >= 3)
        everything = [driver.pid, *_processes(workspace, "torch.distributed.run")]
        for pid in everything:
            os.kill(pid, signal.SIGKILL)
    _await(lambda: _workers(workspace) == [])
    launch.run(config, workspace)
    assert _summary(workspace)["restarts"] == 2
    assert _summary(workspace)["audit"]["clean"] is True  # type: ignore[index]
    assert _losses(workspace) == _losses(undisturbed)


def test_a_driver_killed_alone_leaves_no_worker(make_workspace: MakeWorkspace) -> None:
    _, workspace = make_workspace("training.workers=1", "training.max_steps=0", "training.epochs=9999")
    with _driver(workspace) as driver:
        _await(lambda: _audited(workspace, 0) >= 1)
        driver.kill()
    _await(lambda: _processes(workspace) == [])


def test_a_run_that_follows_a_stopped_one_at_once_waits_for_it(make_workspace: MakeWorkspace) -> None:
    config, workspace = make_workspace("training.workers=1")
    with _driver(workspace) as driver:
        _await(lambda: _audited(workspace, 0) >= 1)
        driver.terminate()
        _await(lambda: (workspace.root / ".pretrain.lock").read_text())
        launch.run(config, workspace)
    assert _summary(workspace)["audit"]["clean"] is True  # type: ignore[index]


def test_two_trainings_do_not_share_a_folder(make_workspace: MakeWorkspace) -> None:
    config, workspace = make_workspace()
    with sole(workspace, 30.0), pytest.raises(WorldError, match="another training is at work here"):
        launch.run(config, workspace)
    assert not workspace.path("pretrain").exists()


def test_a_full_disk_is_told_in_one_line_and_the_checkpoint_before_it_stays(make_workspace: MakeWorkspace) -> None:
    config, workspace = make_workspace("training.workers=1", "training.max_restarts=0", "training.checkpoint_every=3")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(WorldError, match=r"worker 0: .*step-00000003: File too large; .*stderr.log"):
            launch.run(config, workspace)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (workspace.path("pretrain") / "manifest.json").exists()
    assert list((workspace.path("pretrain") / "checkpoints").iterdir()) == []
    assert course(config, workspace).checkpoints.newest(pytest.fail) is None


def test_a_workers_own_words_are_reported_as_the_kind_of_error_they_are(make_workspace: MakeWorkspace) -> None:
    _, workspace = make_workspace()
    log = workspace.root / "torchrun.log"
    log.write_text(
        "Root Cause (first observed failure):\n  rank      : 1 (local_rank: 1)\n  exitcode  : -9 (pid: 4711)"
    )
    assert "worker 1: ended by SIGKILL" in str(launch._failure(workspace, log, 0.0))
    workspace.path("pretrain").joinpath("logs").mkdir(parents=True)
    failures(workspace).add(0, "usage", "model.hidden = 64: is wrong")
    wrong = launch._failure(workspace, log, 0.0)
    assert isinstance(wrong, UsageError)
    assert str(wrong) == "model.hidden = 64: is wrong"


def test_missing_tokens_are_told_before_any_process_starts(tmp_path: Path, make_workspace: MakeWorkspace) -> None:
    config, _ = make_workspace()
    with pytest.raises(UsageError, match="stage tokens has not finished"):
        launch.run(config, Workspace(tmp_path / "empty"))
