"""The sweep's benchmark runs the same trials both ways, and both come to the same scores. No speed is asserted."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from korbert import recipes
from korbert.bench.sweep import Sides, make_encoder, plain_trial
from korbert.config import ModelConfig
from korbert.storage import read_json


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    shape = ModelConfig(layers=1, hidden=32, heads=2, intermediate=64, max_positions=128, dropout=0.0)
    found = Sides(tmp_path, trials=2)
    make_encoder(replace(recipes.tiny(), model=shape), found.encoder)
    return found


def test_a_plain_trial_comes_to_the_score_of_ours(sides: Sides) -> None:
    assert sides.ours() > 0
    trials = read_json(sides.encoder.parent / "sweep-0" / "trials.json")
    assert [(trial["config"], len(trial["epochs"])) for trial in trials] == sides.rounds[0]
    for trial in trials:
        choice = json.loads(json.dumps(trial["config"]))
        score = plain_trial(sides.encoder, choice, len(trial["epochs"]))
        assert score == pytest.approx(trial["epochs"][-1]["validation"], abs=0.05)
    assert sides.naive() > 0
