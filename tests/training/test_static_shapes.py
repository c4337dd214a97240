"""A fake accelerator watches the training loop: what a TPU needs, a step must keep to.

It counts what goes to the device and comes back, and a torch mode under it writes down every operation of a step with
the shapes it works on. Both see the real trainer, model and optimiser.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from korbert.chain import Workspace
from korbert.config import Config
from korbert.model.layout import Inputs, Layout
from korbert.training.course import Course, course
from korbert.training.device import CpuAccelerator
from korbert.training.process_group import Group, World
from korbert.training.trainer import Trainer

# Operations by which a host learns what a device has computed: it would have to wait.
READS = {"aten._local_scalar_dense.default", "aten.nonzero.default", "aten.is_nonzero.default", "aten.equal.default"}
# One micro-batch a step: an operation of the host between two would stand in the device's list.
WHOLE_STEP = ("training.max_steps=12", "training.rows_per_micro_batch=16", "training.log_every=100")


class FakeAccelerator(CpuAccelerator):
    """A device on the far side of a narrow bridge: everything that crosses, and everything done there, is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[list[tuple[int, ...]]] = []
        """Shapes of each transfer to the device, a list a step."""
        self.reads = 0
        """Transfers back."""
        self.steps: list[list[str]] = []
        """Operations of each step, with the shapes of their tensors."""
        self._recorder = _Recorder()

    def moved(self, batches: Sequence[Inputs]) -> list[Inputs]:
        self.sent.append([shape for batch in batches for shape in _shapes(batch)])
        self._recorder.__enter__()
        return super().moved(batches)

    def step_ended(self) -> None:
        self._recorder.__exit__(None, None, None)
        self.steps.append(self._recorder.taken())

    def read(self, values: torch.Tensor) -> list[float]:
        self.reads += 1
        return super().read(values)


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self._noted: list[str] = []

    def taken(self) -> list[str]:
        noted, self._noted = self._noted, []
        return noted

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        shapes = [tuple(leaf.shape) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        self._noted.append(f"{func} {shapes}")
        return func(*args, **(kwargs or {}))


def _shapes(batch: Inputs) -> list[tuple[int, ...]]:
    assert isinstance(batch.lengths, Layout)
    tensors = (*batch[:3], batch.lengths.bounds, *batch[4:])
    return [tuple(tensor.shape) for tensor in tensors]


def _train(training: Course, fake: CpuAccelerator) -> list[tuple[int, float]]:
    steps = itertools.count(1)
    trainer = Trainer(training, World(), fake, Group(World(), None), pytest.fail)
    assert trainer.run(lambda *_: None, lambda: next(steps) > 10**6)
    return [(line["step"], line["loss"]) for line in training.metrics.read()]


@pytest.fixture
def make_course(make_workspace: Callable[..., tuple[Config, Workspace]]) -> Callable[..., Course]:
    def make(*assignments: str) -> Course:
        return course(*make_workspace(*assignments))

    return make


@pytest.mark.parametrize("shapes", ["true", "false"])
def test_a_step_reads_nothing_back_and_sends_each_micro_batch_once(
    make_course: Callable[..., Course], shapes: str
) -> None:
    fake = FakeAccelerator()
    _train(make_course(*WHOLE_STEP, f"training.static_shapes={shapes}"), fake)
    assert len(fake.sent) == len(fake.steps) == 12
    assert fake.reads == 1  # the line of metrics at the end
    assert {operation.split()[0] for step in fake.steps for operation in step} & READS == set()


def test_with_static_shapes_every_step_is_the_same_work_on_the_same_shapes(make_course: Callable[..., Course]) -> None:
    fake = FakeAccelerator()
    _train(make_course(*WHOLE_STEP, "training.static_shapes=true"), fake)
    warm = fake.steps[1:-1]  # the first step makes the optimiser's state, the last one reads the line of metrics
    assert len(warm[0]) > 100
    assert all(step == warm[0] for step in warm)
    assert all(sent == fake.sent[0] for sent in fake.sent)


def test_without_them_shapes_do_change_so_the_test_above_can_fail(make_course: Callable[..., Course]) -> None:
    fake = FakeAccelerator()
    _train(make_course(*WHOLE_STEP), fake)
    assert any(step != fake.steps[1] for step in fake.steps[1:])
    assert any(sent != fake.sent[0] for sent in fake.sent)


def test_a_host_that_asks_the_device_is_seen() -> None:
    fake = FakeAccelerator()
    fake.moved([])
    float(torch.ones(3).sum())
    fake.step_ended()
    assert {operation.split()[0] for operation in fake.steps[0]} & READS != set()


def test_static_shapes_train_the_same_model(make_course: Callable[..., Course]) -> None:
    arguments = ("training.max_steps=12", "model.dropout=0.0")
    plain, static = (
        _train(make_course(*arguments, f"training.static_shapes={shapes}"), CpuAccelerator())
        for shapes in ("false", "true")
    )
    assert plain == [(step, pytest.approx(loss, abs=1e-5)) for step, loss in static]
