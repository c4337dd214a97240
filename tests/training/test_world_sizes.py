"""One training at 1, 2, 3 and 4 real workers: the same samples in every step, and the same losses."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from korbert.chain import Workspace
from korbert.config import Config, overridden
from korbert.training import launch

Build = Callable[..., tuple[Config, Workspace]]
STEPS = 50
WORLDS = (1, 2, 3, 4)
# Float sums over other numbers of ranks differ in their last bits; 50 steps of AdamW do not make them grow further.
TOLERANCE = 1e-5
SETTINGS = (
    f"training.max_steps={STEPS}", "training.epochs=2", "training.optimizer=adamw", "training.precision=fp32",
    "training.lr=1e-3", "model.dropout=0.0", "training.checkpoint_every=1000",
)  # fmt: skip


def _trained(build: Build, root: Path, world: int) -> Workspace:
    config, workspace = build(root, *SETTINGS, f"training.workers={world}")
    launch.run(config, workspace)
    return workspace


def _samples(workspace: Workspace) -> dict[tuple[int, int], list[int]]:
    """The samples of each step over all ranks, by the workers' own logs."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for path in (workspace.path("pretrain") / "audit").glob("*.jsonl"):
        for line in map(json.loads, path.read_text().splitlines()):
            found[line["epoch"], line["step"]] += line["samples"]
    return {step: sorted(samples) for step, samples in found.items()}


def _losses(workspace: Workspace) -> list[tuple[float, float]]:
    lines = (workspace.path("pretrain") / "metrics.jsonl").read_text().splitlines()
    return [(line["mlm"], line["sop"]) for line in map(json.loads, lines) if "mlm" in line]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, builder: Build) -> Workspace:
    return _trained(builder, tmp_path_factory.mktemp("alone"), 1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("world", WORLDS[1:])
def test_more_workers_train_on_the_same_samples_with_the_same_losses(
    alone: Workspace, builder: Build, tmp_path: Path, world: int
) -> None:
    several = _trained(builder, tmp_path, world)
    audit = json.loads((several.path("pretrain") / "summary.json").read_text())["audit"]
    assert (audit["worlds"], audit["clean"]) == ([world], True)
    expected = _samples(alone)
    assert len(expected) == STEPS
    assert {epoch for epoch, _ in expected} == {0, 1}
    assert _samples(several) == expected
    for losses, wanted in zip(_losses(several), _losses(alone), strict=True):
        assert losses == pytest.approx(wanted, abs=TOLERANCE)


def test_the_number_of_workers_leaves_a_finished_training_fresh(alone: Workspace) -> None:
    config = overridden(alone.load(), ["training.workers=4"])
    assert launch.run(config, alone) == alone.manifest("pretrain")
