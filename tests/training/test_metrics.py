"""The curves: means over windows, and a file without double steps."""

import json
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch

from korbert.config import ModelConfig
from korbert.data.loader import MicroBatch, StepBatch
from korbert.errors import WorldError
from korbert.model.bert import PretrainLosses
from korbert.model.cost import flops
from korbert.training.checkpoint import Progress
from korbert.training.device import CpuAccelerator
from korbert.training.metrics import MetricsFile, Window, line_of, step_cost

MEANS = {"loss": 3.0, "mlm": 2.5, "sop": 0.5, "grad_norm": 1.0}


def _batch(masked: int, samples: int, tokens: int) -> StepBatch:
    counts = SimpleNamespace(global_masked=masked, global_samples=samples, global_tokens=tokens)
    return cast(StepBatch, counts)


def test_a_window_is_the_mean_over_its_tokens_and_samples_not_over_its_steps() -> None:
    window = Window(CpuAccelerator())
    for mlm, sop, right, in_order, masked, samples in ((30.0, 4.0, 3, 1, 10, 4), (10.0, 2.0, 1, 2, 30, 2)):
        window.add_losses(PretrainLosses(*(torch.tensor(value) for value in (mlm, sop, right, in_order))))
        window.add_step(_batch(masked, samples, 100), torch.tensor(2.0 * masked))
    means = window.read(1)
    assert means.pop("tokens_per_second") > 0
    assert {means.pop(f"{what}_stall") for what in ("data", "communication", "checkpoint")} == {0}
    assert means == {
        "mlm": 1.0,
        "sop": 1.0,
        "loss": 2.0,
        "mlm_accuracy": 0.1,
        "sop_accuracy": 0.5,
        "grad_norm": 40.0,
    }


def test_a_window_begins_anew_when_it_was_read() -> None:
    window = Window(CpuAccelerator())
    for value in (7.0, 3.0):
        window.add_losses(PretrainLosses(*(torch.tensor(value) for _ in range(4))))
        window.add_step(_batch(1, 1, 1), torch.tensor(value))
        assert window.read(1)["mlm"] == value


def test_rewinding_drops_undone_steps_and_a_torn_line(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.jsonl")
    file.rewind(0)
    for step in (1, 2, 3, 4):
        file.append({"step": step})
    file.path.write_text(file.path.read_text() + '{"step": 5, "lo')
    assert [line["step"] for line in file.read()] == [1, 2, 3, 4]
    file.rewind(2)
    file.append({"step": 3})
    assert [json.loads(line)["step"] for line in file.path.read_text().splitlines()] == [1, 2, 3]


@pytest.mark.parametrize("field", ["loss", "grad_norm"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_diverged_training_ends_with_advice(field: str, value: float) -> None:
    with pytest.raises(WorldError, match="step 9: .*diverged; lower training.lr"):
        line_of(Progress(9), 0, MEANS | {field: value}, 1e-3)


def test_a_line_says_where_training_stands() -> None:
    line = line_of(Progress(9, 90, 900, 1.23456), 2, MEANS, 1e-3)
    assert line == {
        "step": 9, "epoch": 2, "samples": 90, "tokens": 900, **MEANS, "lr": 1e-3, "seconds": 1.235,
    }  # fmt: skip


SHAPE = ModelConfig(layers=2, hidden=32, heads=2, intermediate=64, max_positions=32)


def _part(lengths: list[int], masked: int) -> MicroBatch:
    ids, order = np.zeros(sum(lengths), dtype=np.int64), np.zeros(len(lengths), dtype=np.int64)
    return MicroBatch(ids, ids, ids, lengths, np.arange(masked), ids[:masked], order)


def test_a_steps_cost_is_that_of_this_ranks_micro_batches_and_an_idle_one_costs_nothing() -> None:
    batch = cast(StepBatch, SimpleNamespace(micro_batches=[_part([7, 9], 3), None, _part([5], 1)]))
    assert step_cost(SHAPE, 300)(batch) == flops(SHAPE, 300, [7, 9], [3, 0]) + flops(SHAPE, 300, [5], [1])


def test_mfu_is_what_was_computed_of_what_could_have_been(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("korbert.training.metrics.time.monotonic", lambda: now[0])
    window = Window(CpuAccelerator(), lambda _: 600)
    for _ in range(2):
        window.add_step(_batch(1, 1, 10), torch.tensor(0.0))
    assert "mfu" not in window.read(1)
    window.peak = 400.0
    for _ in range(2):
        window.add_step(_batch(1, 1, 10), torch.tensor(0.0))
    now[0] += 4.0
    means = window.read(1, exchange=lambda: 1.0)
    assert means["mfu"] == pytest.approx(1200 / (4.0 * 400.0))
    assert means["tokens_per_second"] == pytest.approx(5.0)
    assert means["communication_stall"] == pytest.approx(0.25)


def test_time_until_a_batch_is_there_is_a_data_stall_and_the_step_itself_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("korbert.training.metrics.time.monotonic", lambda: now[0])

    def slow_loader() -> Generator[StepBatch, None, None]:
        for _ in range(3):
            now[0] += 1.0
            yield _batch(1, 1, 1)

    window = Window(CpuAccelerator())
    for batch in window.waiting(slow_loader()):
        now[0] += 2.0
        window.add_step(batch, torch.tensor(0.0))
    assert window.read(1)["data_stall"] == pytest.approx(3 / 9)
