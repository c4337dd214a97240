"""The best trials are run over several seeds; what the sweep has run is not run again; the best mean wins."""

from typing import Any

from korbert.config import TuneConfig
from tune import finals

CONFIG = TuneConfig(finalists=2, final_seeds=(1, 2), seed=1)


def trial(number: int, value: float, state: str = "completed", **config: Any) -> dict[str, Any]:
    epochs = [
        {"epoch": 1, "validation": value - 0.1, "scores": {"nsmc": value - 0.1}},
        {"epoch": 2, "validation": value, "scores": {"nsmc": value}},
    ]
    settings = {"lr": number / 10, "model": "m"} | config
    return {"trial": number, "config": settings, "epochs": epochs, "best": value, "state": state}


def test_the_first_of_the_best_leads() -> None:
    trials = [trial(1, 0.5), trial(2, 0.8), trial(3, 0.8)]
    assert [found["trial"] for found in finals.ordered(trials, "score")] == [2, 3, 1]


def test_only_runs_that_the_sweep_has_not_made_are_wanted() -> None:
    trials = [trial(1, 0.7), trial(2, 0.9), trial(3, 0.8, state="stopped")]
    assert finals.wanted(trials, CONFIG) == [
        {"lr": 0.2, "model": "m", "seed": 2},
        {"lr": 0.3, "model": "m", "seed": 1},
        {"lr": 0.3, "model": "m", "seed": 2},
    ]


def test_a_lucky_seed_loses_to_the_better_mean() -> None:
    trials = [trial(1, 0.90), trial(2, 0.89)]
    runs = [trial(0, 0.60, seed=2, lr=0.1), trial(1, 0.87, seed=2, lr=0.2)]
    finalists = finals.judged(trials, runs, CONFIG)
    assert [(found["trial"], found["validation"]) for found in finalists] == [(2, [0.89, 0.87]), (1, [0.90, 0.60])]
    best = finals.winner(trials, finalists, CONFIG)
    assert best is not None
    assert (best["trial"], best["validation"], best["seeds"]) == (2, 0.88, [1, 2])
    assert best["set"] == ["finetune.lr=0.2"]
    assert finals.recipe(best, ["nsmc"]).splitlines()[1:] == ["# model: m", "[finetune]", "lr = 0.2"]


def test_without_finals_the_best_trial_wins_and_without_trials_none() -> None:
    alone = TuneConfig(finalists=0)
    assert finals.judged([trial(1, 0.5)], [], alone) == []
    assert finals.winner([trial(1, 0.5), trial(2, 0.7)], [], alone) == {
        "trial": 2, "validation": 0.7, "config": {"lr": 0.2, "model": "m"}, "set": ["finetune.lr=0.2"],
    }  # fmt: skip
    assert finals.winner([], [], alone) is None
