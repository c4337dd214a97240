"""From trials to a winner: the best of them run again over several seeds, and validation scores alone decide."""

from __future__ import annotations

import math
import re
from typing import Any

from ray.tune import Result

from korbert.benchmarks.metrics import deviation
from korbert.config import TuneConfig
from tune.goal import final
from tune.space import Choice, overrides
from tune.states import History, key_of

Record = dict[str, Any]
"""A trial as trials.json holds it."""


def record(result: Result, ended: History | None) -> Record:
    """What Ray's result of a trial comes to, and its epochs for good, `ended`, where it has them.

    "state" is completed, or stopped (by the scheduler, or because the loss diverged).
    """
    metrics = result.metrics
    assert metrics is not None
    config = {name: value for name, value in metrics["config"].items() if name != "arena"}
    choice, epochs = config.get("choice", config), ended or metrics["epochs"]
    whole = epochs[-1]["epoch"] == choice["epochs"] and epochs[-1]["loss"] is not None
    return {
        "trial": _number(metrics["experiment_tag"]),
        "key": metrics["key"],
        "config": choice,
        "epochs": epochs,
        "best": best_epoch(epochs)["validation"],
        "state": "completed" if whole else "stopped",
        "seconds": round(math.fsum(epoch["seconds"] for epoch in epochs), 3),
        "judging": round(math.fsum(epoch["judging"] for epoch in epochs), 3),
    }


def _number(tag: str) -> int:
    """A trial's number from Ray's tag: `3_batch=16,...`, or `0@perturbed[batch=16,...` of a population's member."""
    found = re.match(r"\d+", tag)
    assert found is not None
    return int(found[0])


def best_epoch(history: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of the epoch with the best value, the first of equals; of whole epochs where there is one, as
    fine-tuning chooses."""
    whole = [epoch for epoch in history if epoch["epoch"] == int(epoch["epoch"])]
    return max(whole or history, key=lambda epoch: epoch["validation"])


def ordered(trials: list[Record], objective: str) -> list[Record]:
    """The trials, best first, the earlier of equals first."""
    epochs = [best_epoch(trial["epochs"]) for trial in trials]
    values = final(objective, [epoch["scores"] for epoch in epochs], [epoch["validation"] for epoch in epochs])
    order = sorted(range(len(trials)), key=lambda number: -values[number])
    return [trials[number] for number in order]


def final_choice(trial: Record, seed: int) -> Choice:
    """A finalist's settings with a seed. One that changed its settings on its way keeps those of its best epoch."""
    changed: Choice | None = best_epoch(trial["epochs"]).get("config")
    return {**(changed or trial["config"]), "seed": seed}


def wanted(trials: list[Record], config: TuneConfig) -> list[Choice]:
    """What the finals have to run: what the sweep has run itself, to the end and with that seed, is left out."""
    return [
        final_choice(trial, seed)
        for trial in ordered(trials, config.objective)[: config.finalists]
        for seed in config.final_seeds
        if not (seed == config.seed and trial["state"] == "completed" and config.scheduler != "pbt")
    ]


def judged(trials: list[Record], runs: list[Record], config: TuneConfig) -> list[dict[str, Any]]:
    """The finalists with their runs' scores, best first.

    Args:
        trials: Of the sweep.
        runs: Of the finals.
        config: Says how many finalists there are and over which seeds.
    """
    by_key = {key_of(run["config"]): run for run in runs}
    finalists = []
    for trial in ordered(trials, config.objective)[: config.finalists]:
        own = [by_key.get(key_of(final_choice(trial, seed)), trial) for seed in config.final_seeds]
        epochs = [best_epoch(run["epochs"]) for run in own]
        values = [epoch["validation"] for epoch in epochs]
        finalists.append(
            {
                "trial": trial["trial"],
                "config": final_choice(trial, config.seed),
                "seeds": list(config.final_seeds),
                "validation": values,
                "mean": math.fsum(values) / len(values),
                "std": deviation(values),
                "scores": {task: [epoch["scores"][task] for epoch in epochs] for task in epochs[0]["scores"]},
                "best_epochs": [epoch["epoch"] for epoch in epochs],
            }
        )
    means = [{task: math.fsum(scores) / len(scores) for task, scores in f["scores"].items()} for f in finalists]
    values = final(config.objective, means, [finalist["mean"] for finalist in finalists])
    return [finalists[number] for number in sorted(range(len(finalists)), key=lambda number: -values[number])]


def winner(trials: list[Record], finalists: list[dict[str, Any]], config: TuneConfig) -> dict[str, Any] | None:
    """The best finalist, or the best trial where there are no finals; None without a trial."""
    if not trials:
        return None
    if not finalists:
        best = ordered(trials, config.objective)[0]
        choice = {name: value for name, value in final_choice(best, config.seed).items() if name != "seed"}
        return _named(best["trial"], best["best"], choice)
    best = finalists[0]
    choice = {name: value for name, value in best["config"].items() if name != "seed"}
    return _named(best["trial"], best["mean"], choice) | {"std": best["std"], "seeds": best["seeds"]}


def _named(trial: int, value: float, choice: Choice) -> dict[str, Any]:
    return {"trial": trial, "validation": value, "config": choice, "set": overrides(choice)}


def recipe(best: dict[str, Any], tasks: list[str]) -> str:
    """The winner as TOML, section `finetune` of a config."""
    lines = [f"# trial {best['trial']} of a sweep over {', '.join(tasks)}: validation {best['validation']:.4f}"]
    if "model" in best["config"]:
        lines.append(f"# model: {best['config']['model']}")
    fields = [f"{name} = {value!r}" for name, value in best["config"].items() if name != "model"]
    return "\n".join([*lines, "[finetune]", *fields]) + "\n"
