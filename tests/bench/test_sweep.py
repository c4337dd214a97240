"""The sweep's benchmark runs the same trials both ways, and both come to the same scores. No speed is asserted."""

from dataclasses import replace
from pathlib import Path

import pytest

from korbert import recipes
from korbert.bench.sweep import Sides, make_encoder
from korbert.chain import shipped_nsmc
from korbert.config import ModelConfig

SHAPE = ModelConfig(layers=1, hidden=32, heads=2, intermediate=64, max_positions=128, dropout=0.0)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    make_encoder(replace(recipes.tiny(), model=SHAPE), tmp_path / "encoder")
    return tmp_path / "encoder"


def test_both_peers_come_to_our_trials_scores(made: Path, tmp_path: Path) -> None:
    sides = Sides(tmp_path, made, shipped_nsmc(), trials=3, rows=100)
    assert sides.ours() > 0
    (trials,) = sides.rounds
    assert len(trials) == 3
    assert sides.under_ray() > 0
    assert sides.in_processes() > 0
    under_ray, in_processes = sides.scores
    assert under_ray == in_processes
    # Equal weights elsewhere in memory: a row of twenty may fall on the other side.
    assert in_processes == pytest.approx([trial["epochs"][-1]["validation"] for trial in trials], abs=0.06)
    assert sides.trained[0] < sides.seconds[0]


def test_its_encoder_is_the_same_each_time(made: Path, tmp_path: Path) -> None:
    make_encoder(replace(recipes.tiny(), model=SHAPE), tmp_path / "again")
    for name in ("vocab.txt", "tokenizer.json", "model.safetensors"):
        assert (made / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
