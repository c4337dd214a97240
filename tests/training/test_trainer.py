"""The training loop in one process: stop, resume and compare bit for bit."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from korbert.chain import Workspace
from korbert.config import Config
from korbert.data.audit import audit
from korbert.errors import UsageError, WorldError
from korbert.training.course import Course, course
from korbert.training.curves import Curves
from korbert.training.device import CpuAccelerator
from korbert.training.process_group import Group, World
from korbert.training.trainer import Trainer


def _train(training: Course, stop_after: int = 10**9, told: list[str] | None = None) -> tuple[bool, Trainer]:
    steps = itertools.count(1)
    device, warn = CpuAccelerator(), (told if told is not None else []).append
    trainer = Trainer(training, World(), device, Group(World(), None), warn)
    return trainer.run(lambda *_: None, lambda: next(steps) >= stop_after), trainer


def _losses(training: Course) -> list[tuple[int, float, float]]:
    return [(line["step"], line["loss"], line["grad_norm"]) for line in training.metrics.read()]


def _same_weights(one: Course, other: Course) -> bool:
    first, second = load_file(one.weights), load_file(other.weights)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def make_course(make_workspace: Callable[..., tuple[Config, Workspace]]) -> Callable[..., Course]:
    def make(*assignments: str, **options: Any) -> Course:
        config, workspace = make_workspace(*assignments, **options)
        return course(config, workspace)

    return make


def test_a_stopped_and_resumed_training_is_the_undisturbed_one_bit_for_bit(make_course: Callable[..., Course]) -> None:
    """With dropout, over the end of an epoch, stopped beside and between two checkpoints."""
    arguments = ("training.max_steps=20", "training.epochs=2")
    whole, parts = (make_course(*arguments, documents=110) for _ in range(2))
    assert whole.order.first_step(1) < 20
    assert _train(whole)[0]
    assert not _train(parts, stop_after=7)[0]
    assert not _train(parts, stop_after=3)[0]
    complete, resumed = _train(parts)
    assert complete
    assert resumed.progress.step == 20
    assert _same_weights(whole, parts)
    assert _losses(whole) == _losses(parts)
    report = audit(parts.audit, parts.order, len(parts.samples), parts.steps)
    assert report.clean
    assert (report.attempts, report.replayed_steps, report.epochs) == (3, 0, 1)


def test_a_truncated_newest_checkpoint_costs_steps_but_changes_nothing(make_course: Callable[..., Course]) -> None:
    whole, parts = (make_course("training.max_steps=14") for _ in range(2))
    _train(whole)
    _train(parts, stop_after=12)
    newest = parts.folder / "checkpoints" / "step-00000012" / "model.safetensors"
    newest.write_bytes(newest.read_bytes()[:5000])
    told: list[str] = []
    _train(parts, told=told)
    assert len(told) == 1
    assert "step-00000012: model.safetensors has 5000 bytes" in told[0]
    assert _same_weights(whole, parts)
    assert _losses(whole) == _losses(parts)
    report = audit(parts.audit, parts.order, len(parts.samples), parts.steps)
    assert report.clean
    assert report.replayed_steps == 2


def test_the_size_of_micro_batches_does_not_change_the_training(make_course: Callable[..., Course]) -> None:
    arguments = ("training.max_steps=10", "model.dropout=0.0")
    runs = [make_course(*arguments, f"training.rows_per_micro_batch={rows}") for rows in (1, 64)]
    for training in runs:
        _train(training)
    one, other = map(_losses, runs)
    assert all(abs(a[1] - b[1]) < 1e-5 for a, b in zip(one, other, strict=True))


def test_a_finished_training_run_again_only_writes_its_weights(make_course: Callable[..., Course]) -> None:
    training = make_course("training.max_steps=5")
    _train(training)
    before, lines = training.weights.read_bytes(), _losses(training)
    training.weights.unlink()
    assert _train(training)[0]
    assert training.weights.read_bytes() == before
    assert _losses(training) == lines


def test_it_learns_the_frequencies_of_tokens_and_more(make_course: Callable[..., Course]) -> None:
    """A synthetic language of few tokens a text: MLM falls well below what it starts with, the logarithm of 300."""
    training = make_course("training.max_steps=0", "training.epochs=6", "training.lr=0.01", "training.log_every=32")
    _train(training)
    lines = training.metrics.read()
    assert lines[-1]["mlm"] < lines[0]["mlm"] - 0.5
    assert lines[-1]["mlm"] < training.store.unigram_entropy + 0.35


def test_a_checkpoint_of_another_model_is_refused(make_course: Callable[..., Course]) -> None:
    small, large = make_course("training.max_steps=5"), make_course("training.max_steps=5", "model.intermediate=128")
    _train(small)
    large.folder.mkdir(parents=True)
    (small.folder / "checkpoints").rename(large.folder / "checkpoints")
    with pytest.raises(UsageError, match="model.intermediate = 128: .* was made with 64"):
        _train(large)


def test_a_checkpoint_that_cannot_be_written_ends_the_training_at_the_next_step_in_one_line(
    make_course: Callable[..., Course],
) -> None:
    training = make_course("training.max_steps=0", "training.epochs=999")
    training.folder.mkdir(parents=True)
    (training.folder / "checkpoints").write_text("in the way")
    trainer = Trainer(training, World(), CpuAccelerator(), Group(World(), None), pytest.fail)
    with pytest.raises(WorldError, match="step-00000005: Not a directory; .* run the same command again") as caught:
        trainer.run(lambda *_: None, lambda: False)
    assert "\n" not in str(caught.value)
    assert 5 < trainer.progress.step < training.steps


def test_a_fault_right_after_a_step_keeps_the_step_and_the_line_that_was_not_written_yet(
    make_course: Callable[..., Course], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = (make_course("training.max_steps=14", "training.checkpoint_every=1000") for _ in range(2))
    _train(whole)
    write = Curves.add

    def failing(self: Curves, line: dict[str, Any]) -> None:
        if line["step"] == 8:
            raise RuntimeError("the peer is lost")
        write(self, line)

    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="the peer is lost"):
        patched.setattr(Curves, "add", failing)
        _train(parts)
    found = parts.checkpoints.newest(pytest.fail)
    assert found is not None
    assert found.progress.step == 8
    assert [line["step"] for line in parts.metrics.read()] == list(range(1, 8))
    _train(parts)
    assert _losses(whole) == _losses(parts)
    assert _same_weights(whole, parts)
    report = audit(parts.audit, parts.order, len(parts.samples), parts.steps)
    assert report.clean
    assert (report.replayed_steps, report.undone_steps) == (0, 0)


def test_a_training_that_diverges_saves_nothing_of_it(make_course: Callable[..., Course]) -> None:
    training = make_course("training.lr=1e30", "training.warmup=0", "training.clip=0", "training.checkpoint_every=1000")
    with pytest.raises(WorldError, match="diverged"):
        _train(training)
    assert training.checkpoints.newest(pytest.fail) is None


def test_a_checkpoint_whose_history_is_lost_is_refused(make_course: Callable[..., Course], tmp_path: Path) -> None:
    url = f"training.checkpoint_url=file://{tmp_path}/elsewhere"
    one, other = (make_course("training.max_steps=5", url) for _ in range(2))
    _train(one)
    with pytest.raises(UsageError, match="step-00000005 stands there, but .*audit does not tell"):
        _train(other)
