"""The curves: means over windows, and a file without double steps."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch

from korbert.data.loader import StepBatch
from korbert.errors import WorldError
from korbert.model.bert import PretrainLosses
from korbert.training.checkpoint import Progress
from korbert.training.metrics import MetricsFile, Window, line_of

MEANS = {"loss": 3.0, "mlm": 2.5, "sop": 0.5, "grad_norm": 1.0}


def _batch(masked: int, samples: int, tokens: int) -> StepBatch:
    counts = SimpleNamespace(global_masked=masked, global_samples=samples, global_tokens=tokens)
    return cast(StepBatch, counts)


def test_a_window_is_the_mean_over_its_tokens_and_samples_not_over_its_steps() -> None:
    window = Window(torch.device("cpu"))
    for mlm, sop, right, in_order, masked, samples in ((30.0, 4.0, 3, 1, 10, 4), (10.0, 2.0, 1, 2, 30, 2)):
        window.add_losses(PretrainLosses(*(torch.tensor(value) for value in (mlm, sop, right, in_order))))
        window.add_step(_batch(masked, samples, 100), torch.tensor(2.0 * masked))
    means = window.read(1)
    assert means.pop("tokens_per_second") > 0
    assert means == {
        "mlm": 1.0,
        "sop": 1.0,
        "loss": 2.0,
        "mlm_accuracy": 0.1,
        "sop_accuracy": 0.5,
        "grad_norm": 40.0,
    }


def test_a_window_begins_anew_when_it_was_read() -> None:
    window = Window(torch.device("cpu"))
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
        line_of(Progress(9), 0, MEANS | {field: value}, 1e-3, 0)


def test_a_line_says_where_training_stands() -> None:
    line = line_of(Progress(9, 90, 900, 1.23456), 2, MEANS, 1e-3, 4)
    assert line == {
        "step": 9, "epoch": 2, "samples": 90, "tokens": 900, **MEANS, "lr": 1e-3, "seconds": 1.235, "attempt": 4,
    }  # fmt: skip
