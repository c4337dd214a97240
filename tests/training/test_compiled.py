"""Compiled passes: one graph for a whole training, the same losses, and every new graph told. With torch's compiler."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from korbert.chain import Workspace
from korbert.config import Config, TrainingConfig
from korbert.data.shards import HELD_OUT
from korbert.doctor import hardware
from korbert.errors import UsageError
from korbert.model.build import build
from korbert.model.layout import Inputs, Layout
from korbert.training import launch
from korbert.training.compiled import Compiled, graphs, require_compiler
from korbert.training.course import Course, course
from korbert.training.device import CpuAccelerator, accelerator
from korbert.training.feed import Feed
from korbert.training.process_group import Group, World
from korbert.training.trainer import Trainer

pytestmark = [
    pytest.mark.skipif(shutil.which("g++") is None, reason="wants a C++ compiler"),
    # Minutes on a busy machine that compiles for the first time.
    pytest.mark.timeout(1500),
]
COMPILED = ("training.static_shapes=true", "training.compile=true")
# All that changes what a step holds: last steps of epochs, a growing batch, short samples, evaluations between.
CHANGING = (
    "training.epochs=3", "training.short_epochs=1", "training.short_tokens=16", "training.global_batch=32",
    "training.batch_ramp=0.3", "training.batch_start=3", "training.max_steps=0", "training.evaluate_every=30",
)  # fmt: skip

MakeWorkspace = Callable[..., tuple[Config, Workspace]]


@pytest.fixture(autouse=True)
def _no_graph_of_another_test() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


class _Watched(CpuAccelerator):
    """Notes what crosses between host and device."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[torch.Size, ...]] = []
        self.reads = 0

    def moved(self, batches: Sequence[Inputs]) -> list[Inputs]:
        for batch in batches:
            assert isinstance(batch.lengths, Layout)
            self.sent.append(tuple(tensor.shape for tensor in (*batch[:3], batch.lengths.bounds, *batch[4:])))
        return super().moved(batches)

    def read(self, values: torch.Tensor) -> list[float]:
        self.reads += 1
        return super().read(values)


def _trained(training: Course, device: CpuAccelerator | None = None) -> list[dict[str, Any]]:
    trainer = Trainer(training, World(), device or CpuAccelerator(), Group(World(), None), pytest.fail)
    assert trainer.run(lambda *_: None, lambda: False)
    return training.metrics.windows()


def _losses(lines: list[dict[str, Any]]) -> list[float]:
    return [line["loss"] for line in lines]


def test_a_compiled_training_has_the_losses_of_an_uncompiled_one(make_workspace: MakeWorkspace) -> None:
    settings = ("training.max_steps=20", "model.dropout=0.0")
    plain = _trained(course(*make_workspace(*settings)))
    made = graphs()
    compiled = _trained(course(*make_workspace(*settings, *COMPILED)))
    assert graphs() == made + 1
    assert len(plain) == 20
    assert _losses(compiled) == pytest.approx(_losses(plain), abs=1e-4)
    assert _losses(compiled) != pytest.approx(_losses(plain), abs=1e-12)
    assert {line["recompiles"] for line in compiled} == {0}
    assert all("recompiles" not in line for line in plain)


def test_compiled_steps_take_one_shape_and_read_nothing_back_between_two_lines_of_metrics(
    make_workspace: MakeWorkspace,
) -> None:
    # Inside the graph nothing can be read: it is made whole (fullgraph), which a read would forbid.
    device = _Watched()
    _trained(course(*make_workspace("training.max_steps=12", "training.log_every=6", *COMPILED)), device)
    assert device.reads == 2
    assert len(device.sent) >= 12
    assert len(set(device.sent)) == 1


def test_no_batch_of_a_training_in_which_all_changes_is_compiled_anew(make_workspace: MakeWorkspace) -> None:
    config, workspace = make_workspace(*CHANGING, *COMPILED)
    shutil.copytree(workspace.path("tokens"), workspace.root / "copy").rename(workspace.path("tokens") / HELD_OUT)
    training = course(config, workspace)
    sizes = {training.order.place(step).batch for step in range(training.steps)}
    assert len(sizes) > 4
    made = graphs()
    lines = _trained(training)
    assert len(lines) == training.steps
    assert len(training.metrics.held_out()) > 2
    assert {line["epoch"] for line in lines} == {0, 1, 2}
    assert {line["recompiles"] for line in lines} == {0}
    assert graphs() == made + 1


def test_a_resumed_compiled_training_is_the_undisturbed_one_to_the_bit(make_workspace: MakeWorkspace) -> None:
    whole = course(*make_workspace(*COMPILED))
    wanted = _trained(whole)
    stopped = course(*make_workspace(*COMPILED))
    steps = iter(range(10))
    trainer = Trainer(stopped, World(), CpuAccelerator(), Group(World(), None), pytest.fail)
    assert not trainer.run(lambda *_: None, lambda: next(steps) == 6)
    torch._dynamo.reset()
    found = _trained(stopped)
    assert [line["step"] for line in found] == list(range(1, 27))
    assert _losses(found) == _losses(wanted)
    assert stopped.weights.read_bytes() == whole.weights.read_bytes()


def test_two_ranks_compile_once_each_with_one_idle_and_train_as_one_uncompiled(make_workspace: MakeWorkspace) -> None:
    # The first steps have one sample: the second rank has none.
    settings = ("model.dropout=0.0", "training.batch_ramp=0.3", "training.batch_start=1")
    plain = course(*make_workspace(*settings))
    assert any(part is None for part in plain.loader(World(rank=1, size=2)).batch(0).micro_batches)
    config, workspace = make_workspace(*settings, *COMPILED)
    launch.run(config, workspace)
    lines = course(config, workspace).metrics.windows()
    assert {line["recompiles"] for line in lines} == {0}
    assert len(lines) == 26
    assert _losses(lines) == pytest.approx(_losses(_trained(plain)), abs=1e-4)


def _micro_batches(training: Course) -> list[Inputs]:
    feed = Feed(CpuAccelerator(), training.store.special, training.budget)
    return [inputs for batch in training.loader(World()).batches(0, 2) for inputs in feed(batch)]


def test_a_micro_batch_of_another_shape_is_compiled_anew_counted_and_told(make_workspace: MakeWorkspace) -> None:
    static = course(*make_workspace("training.static_shapes=true"))
    wider = replace(static.config.training, rows_per_micro_batch=3)
    other = replace(static, config=replace(static.config, training=wider))
    told: list[str] = []
    model = Compiled(build(static.config.model, static.store.vocab_size), told.append)
    for inputs in _micro_batches(static):
        model(*inputs)
    assert (model.recompiles, told) == (0, [])
    changed = _micro_batches(other)[0]
    model(*changed)
    assert model.recompiles == 1
    assert [line for line in told if f"for {len(changed.tokens)} tokens in" in line and "anew" in line] == told != []


def test_where_there_is_no_compiler_one_line_says_so_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = TrainingConfig(device="cpu", static_shapes=True, compile=True)
    require_compiler("cpu")
    assert accelerator(asked, 0).kind == "cpu"
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert accelerator(replace(asked, compile=False), 0).kind == "cpu"
    with pytest.raises(UsageError, match=r"training.compile = True: there is no C\+\+ compiler .*g\+\+.*compile=false"):
        accelerator(asked, 0)
    # What `korbert doctor` tells.
    assert "there is no C++ compiler" in hardware.training(asked)["error"]
