"""The storm's own judgement; what it does to real processes is in tests/training/test_kill_matrix.py."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from korbert.training.course import course
from korbert.training.device import CpuAccelerator
from korbert.training.process_group import Group, World
from korbert.training.trainer import Trainer

_spec = importlib.util.spec_from_file_location("training_storm", Path(__file__).with_name("training_storm.py"))
storm = importlib.util.module_from_spec(_spec)
# Dataclasses look their module up there.
sys.modules["training_storm"] = storm
_spec.loader.exec_module(storm)


@pytest.fixture
def trained(tmp_path):
    """A field after a storm without a strike: one process has trained four steps."""
    field = storm.Field(tmp_path)
    trainer = Trainer(
        course(field.config, field.workspace), World(), CpuAccelerator(), Group(World(), None), pytest.fail
    )
    trainer.run(lambda *_: None, lambda: trainer.progress.step >= 4)
    return field


def _struck(step: int, resumed: int, *, keeps: bool):
    return storm.Strike("worker_killed", step, resumed, 2, 7.5, "killed", keeps)


def test_an_undisturbed_training_passes(trained) -> None:
    assert storm.verdict(trained, [_struck(3, 3, keeps=True), _struck(3, 1, keeps=False)]) == []


def test_a_completed_step_that_a_survivor_could_have_saved_is_missed(trained) -> None:
    assert storm.verdict(trained, [_struck(3, 1, keeps=True)]) == ["worker_killed: 2 completed steps lost"]


def test_a_curve_that_is_another_is_seen(trained) -> None:
    path = trained.training.metrics.path
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[2]["mlm"] += 2e-4
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert storm.verdict(trained, []) == ["1 losses differ by more than 1e-4, from step 3 on"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines[:3]))
    assert "1 steps in one curve only" in storm.verdict(trained, [])


def test_a_sample_that_nobody_trained_on_is_seen(trained) -> None:
    path = next(trained.training.audit.glob("*.jsonl"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[1]["samples"].pop()
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert any(fault.startswith("audit: ") and "'lost': 1" in fault for fault in storm.verdict(trained, []))


def test_the_table_has_a_line_a_strike() -> None:
    lines = storm.table([_struck(30, 28, keeps=True)]).splitlines()
    assert lines[0].split() == ["strike", "step", "resumed", "lost", "workers", "seconds", "cause"]
    assert lines[1].split() == ["worker_killed", "30", "28", "2", "2", "7.5", "killed"]
