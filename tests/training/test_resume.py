"""Every optimiser, schedule and ramp: stopped and resumed, in one process and then in several."""

import itertools
import json
from collections.abc import Callable

import pytest
import torch
from safetensors.torch import load_file

from korbert.chain import Workspace
from korbert.config import Config, overridden
from korbert.data.audit import audit
from korbert.errors import UsageError
from korbert.storage import resumable
from korbert.training import launch
from korbert.training.course import Course, course, data_at
from korbert.training.device import CpuAccelerator
from korbert.training.process_group import Group, World
from korbert.training.trainer import Trainer

MakeWorkspace = Callable[..., tuple[Config, Workspace]]

VARIANTS = {
    "lamb": ("training.optimizer=lamb", "training.lr=0.02", "training.schedule=cosine"),
    "muon": ("training.optimizer=muon", "training.schedule=wsd", "training.decay=0.5"),
    "muon, modern": ("training.optimizer=muon", "model.architecture=modern"),
    "average": ("training.ema=0.9",),
    # 110 documents are 12 steps an epoch or more: the ramp goes over its end.
    "ramp": ("training.batch_ramp=0.7", "training.batch_start=3", "training.ema=0.9"),
    # The first epoch of shorter samples ends within the 26 steps too.
    "short": ("training.short_epochs=1", "training.short_tokens=16", "training.optimizer=lamb"),
}
STEPS = 26


def _trainer(training: Course) -> Trainer:
    return Trainer(training, World(), CpuAccelerator(), Group(World(), None), pytest.fail)


def _train(training: Course, stop_after: int = 10**9) -> bool:
    steps = itertools.count(1)
    return _trainer(training).run(lambda *_: None, lambda: next(steps) >= stop_after)


def _losses(training: Course) -> list[tuple[float, ...]]:
    return [tuple(line[key] for key in ("step", "loss", "grad_norm", "lr")) for line in training.metrics.read()]


def _pair(make_workspace: MakeWorkspace, *assignments: str) -> tuple[Course, Course]:
    arguments = ("training.epochs=4", *assignments)
    one, other = (course(*make_workspace(*arguments, documents=110)) for _ in range(2))
    assert one.order.first_step(1) < one.steps == STEPS
    return one, other


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_stopped_and_resumed_training_is_the_undisturbed_one_bit_for_bit(
    make_workspace: MakeWorkspace, variant: str
) -> None:
    whole, parts = _pair(make_workspace, *VARIANTS[variant])
    assert _train(whole)
    assert not _train(parts, stop_after=7)
    assert not _train(parts, stop_after=6)
    assert _train(parts)
    assert _losses(whole) == _losses(parts)
    one, other = load_file(whole.weights), load_file(parts.weights)
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
    report = audit(parts.audit, parts.order, len(parts.samples), parts.steps)
    assert report.clean
    assert (report.steps, report.attempts, report.replayed_steps) == (STEPS, 3, 0)


@pytest.mark.parametrize("variants", [("lamb",), ("muon", "ramp")], ids=" and ".join)
def test_a_training_of_one_process_goes_on_with_two(make_workspace: MakeWorkspace, variants: tuple[str, ...]) -> None:
    assignments = itertools.chain.from_iterable(VARIANTS[variant] for variant in variants)
    whole, parts = _pair(make_workspace, *assignments, "model.dropout=0.0", "training.workers=2")
    assert _train(whole)
    with pytest.raises(InterruptedError), resumable(parts.plan):
        _train(parts, stop_after=9)
        raise InterruptedError
    launch.run(parts.config, Workspace(parts.folder.parent))  # which audits
    assert json.loads((parts.folder / "summary.json").read_text())["audit"]["worlds"] == [1, 2]
    for losses, expected in zip(_losses(parts), _losses(whole), strict=True):
        assert losses == pytest.approx(expected, abs=1e-4)


def test_a_batch_that_grows_is_logged_as_it_was(make_workspace: MakeWorkspace) -> None:
    training, _ = _pair(make_workspace, *VARIANTS["ramp"])
    _train(training)
    seen = [0, *(line["samples"] for line in training.metrics.read())]
    sizes = [b - a for a, b in itertools.pairwise(seen)]
    ends = {training.order.first_step(epoch) - 1 for epoch in range(1, 5)}
    whole = [size for step, size in enumerate(sizes) if step not in ends]
    assert whole == sorted(whole)
    assert (whole[0], whole[-1], len(set(whole))) == (3, 16, 9)


def test_the_first_epochs_samples_are_short_and_hold_the_same_tokens(make_workspace: MakeWorkspace) -> None:
    training, _ = _pair(make_workspace, *VARIANTS["short"])
    loader, second = training.loader(World()), training.order.first_step(1)
    longest = [max(max(micro.lengths) for micro in loader.batch(step).micro_batches if micro) for step in (0, second)]
    assert longest[0] <= 16 < longest[1]
    texts = []
    for first, end in ((0, second), (second, training.order.first_step(2))):
        batches = [loader.batch(step) for step in range(first, end)]
        texts.append(sum(batch.global_tokens - 3 * batch.global_samples for batch in batches))
    assert texts[0] == texts[1]
    assert [data_at(training.config, epoch).max_tokens for epoch in (0, 1, 3)] == [16, 32, 32]


def test_fixed_shapes_have_room_for_the_short_samples_too(make_workspace: MakeWorkspace) -> None:
    training, _ = _pair(make_workspace, *VARIANTS["short"], "training.static_shapes=true")
    budget, loader = training.budget, training.loader(World())
    assert budget
    for step in range(STEPS):
        for micro in filter(None, loader.batch(step).micro_batches):
            real = len(micro.tokens), len(micro.lengths), len(micro.masked), max(micro.lengths)
            assert all(found <= room for found, room in zip(real, budget, strict=True))
    plain, _ = _pair(make_workspace, "training.static_shapes=true")
    assert plain.budget
    assert plain.budget.samples <= budget.samples


def test_the_average_is_what_is_evaluated_and_written_and_the_trained_weights_are_kept(
    make_workspace: MakeWorkspace,
) -> None:
    averaged, _ = _pair(make_workspace, "training.ema=0.9")
    trainer = _trainer(averaged)
    assert trainer.run(lambda *_: None, lambda: False)
    written = load_file(averaged.weights)
    kept = load_file(averaged.folder / "checkpoints" / f"step-{STEPS:08d}" / "model.safetensors")
    for weights, model in ((written, trainer.model_for_evaluation), (kept, trainer.model)):
        assert all(torch.equal(weights[name], tensor) for name, tensor in model.state_dict().items())
    assert not torch.equal(written["decoder_bias"], kept["decoder_bias"])


def test_an_average_changes_nothing_of_the_training(make_workspace: MakeWorkspace) -> None:
    plain, _ = _pair(make_workspace)
    averaged, _ = _pair(make_workspace, "training.ema=0.9")
    assert _train(plain)
    assert _train(averaged)
    assert _losses(plain) == _losses(averaged)


def test_a_training_can_be_told_while_it_trains_to_end_early_with_its_cool_down(make_workspace: MakeWorkspace) -> None:
    wsd = ("training.schedule=wsd", "training.decay=0.25")
    whole, parts = _pair(make_workspace, *wsd)
    assert _train(whole)
    assert not _train(parts, stop_after=8)
    early = course(overridden(parts.config, ["training.stop_at=16"]), parts.workspace)
    assert early.plan.key == parts.plan.key
    assert _train(early)
    lines = list(early.metrics.windows())
    assert [line["step"] for line in lines] == list(range(1, 17))
    assert _losses(early)[:12] == _losses(whole)[:12]  # the last four of 16 cool down
    rates = [line["lr"] for line in lines[12:]]
    assert rates == sorted(set(rates), reverse=True)
    report = audit(early.audit, early.order, len(early.samples), early.steps)
    assert (report.clean, report.steps) == (True, 16)


def test_an_end_before_what_is_done_is_refused_in_one_line(make_workspace: MakeWorkspace) -> None:
    _, parts = _pair(make_workspace, "training.schedule=wsd")
    assert not _train(parts, stop_after=8)
    with pytest.raises(UsageError, match=r"^training.stop_at = 5: 8 steps are done; choose at least 8, or 0"):
        _trainer(course(overridden(parts.config, ["training.stop_at=5"]), parts.workspace))
