"""The chain's runner: which stages run, what a forced stage leaves behind, how a stage's end is told."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from korbert import chain, pipeline, recipes
from korbert.chain import Workspace
from korbert.config import overridden
from korbert.errors import UsageError, WorldError
from korbert.pipeline import StageFailed
from korbert.storage import publishing, resumable


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "runs" / "demo")


def test_the_stages_between_from_and_to_are_selected() -> None:
    assert pipeline._selected("tokenizer", "pretrain") == ("tokenizer", "tokens", "pretrain")
    assert pipeline._selected("crawl", "tune") == pipeline.NAMES


def test_a_stage_needs_those_before_it(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="stage corpus has not finished"):
        pipeline.run(recipes.demo(), workspace, first="tokenizer", last="tokenizer")


def test_a_second_run_in_the_same_workspace_is_refused(workspace: Workspace) -> None:
    workspace.root.mkdir(parents=True)
    with (workspace.root / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(WorldError, match="another run is at work here"):
            pipeline.run(recipes.demo(), workspace, last="crawl")


def test_a_stage_made_anew_keeps_its_old_work_aside(workspace: Workspace) -> None:
    config = recipes.demo()
    for name in ("crawl", "corpus", "tokenizer", "tokens"):
        with publishing(chain.plan(config, workspace, name)):
            pass
    with resumable(chain.plan(config, workspace, "pretrain")) as draft:
        (draft.path / "weights").write_text("old")
    pipeline._forget(workspace, "pretrain")
    pipeline._forget(workspace, "tokens")
    assert {name: chain.state(config, workspace, name).state for name in ("tokenizer", "tokens", "pretrain")} == {
        "tokenizer": "fresh",
        "tokens": "absent",
        "pretrain": "absent",
    }
    (aside,) = workspace.root.glob("pretrain.superseded-*")
    assert (aside / "weights").read_text() == "old"


def test_another_file_or_limit_is_another_source() -> None:
    config = recipes.demo()
    names = {
        pipeline.source_name(config, {"articles": "a" * 64}),
        pipeline.source_name(config, {"articles": "b" * 64}),
        pipeline.source_name(overridden(config, ["crawl.limit=5"]), {"articles": "a" * 64}),
    }
    assert len(names) == 3


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_failed_process_passes_its_exit_code_on(code: int) -> None:
    with pytest.raises(StageFailed) as caught:
        pipeline._process("corpus", ["-c", f"raise SystemExit({code})"], dict(os.environ))
    assert (caught.value.stage, caught.value.code) == ("corpus", code)


def test_a_killed_process_is_told_by_its_signal() -> None:
    with pytest.raises(WorldError, match="stage corpus: its process was ended by SIGKILL; run the same command again"):
        pipeline._process("corpus", ["-c", f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"], dict(os.environ))


def test_a_process_dies_with_a_killed_run(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from korbert import pipeline\n"
        "child = 'import os, sys, time; open(sys.argv[1], \"w\").write(str(os.getpid())); time.sleep(60)'\n"
        "pipeline._process('corpus', ['-c', child, sys.argv[1]], dict(os.environ))"
    )
    mark = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", script, str(mark)]) as run:
        while not mark.exists() or not mark.read_text():
            assert run.poll() is None
            time.sleep(0.05)
        run.kill()
    child = Path("/proc") / mark.read_text() / "stat"
    for _ in range(200):
        if not child.exists() or ") Z " in child.read_text():
            return
        time.sleep(0.05)
    raise AssertionError("the child outlived its parent")


def test_the_environment_lets_waiting_threads_sleep_unless_told_otherwise(monkeypatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert pipeline._environment()["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert pipeline._environment()["OMP_WAIT_POLICY"] == "ACTIVE"


def test_workspaces_are_found_by_their_config(workspace: Workspace) -> None:
    assert pipeline.workspaces(workspace.root.parent) == []
    workspace.save(recipes.demo())
    (workspace.root.parent / "notes").mkdir()
    assert pipeline.workspaces(workspace.root.parent) == [workspace]


def test_the_score_is_one_line(workspace: Workspace) -> None:
    assert pipeline.score_line(workspace) == ""
    score = {
        "task": "nsmc", "metric": "accuracy", "mean": 0.81234, "std": 0.00321, "seeds": [1, 2, 3], "n_test": 50_000,
        "majority_baseline": 0.50346,
    }  # fmt: skip
    path = workspace.path("finetune")
    path.mkdir(parents=True)
    (path / "scores.json").write_text(json.dumps(score))
    assert pipeline.score_line(workspace) == (
        "nsmc accuracy: 0.8123 ± 0.0032 over 3 seeds (test rows 50,000, always guessing the larger class 0.5035)"
    )
    other = {"task": "kmou-ner", "metric": "entity_f1", "baseline_is": "guessing", "remark": "a stand-in"}
    assert pipeline.score_text(score | other) == (
        "kmou-ner entity_f1: 0.8123 ± 0.0032 over 3 seeds (test rows 50,000, guessing 0.5035); a stand-in"
    )
    (path / "scores.json").write_text(json.dumps(score | {"std": None, "seeds": [1]}))
    assert pipeline.score_line(workspace).startswith("nsmc accuracy: 0.8123 over 1 seed (")
