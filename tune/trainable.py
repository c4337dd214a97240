"""One trial of a sweep: a fitting a task on its training rows, judged on validation rows on its way, see `rungs`.

The loop is fine-tuning's own. A trial never sees a test row: `Material`, which its rows are cut from, holds none.
Models and rows come out of Ray's object store; an actor that is used again reads no file.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune as ray_tune

from korbert.benchmarks.classifier import predicted
from korbert.benchmarks.fitting import Diverged, Fitting, Settings
from korbert.benchmarks.metrics import METRICS
from korbert.tasks import Task
from tune.contest import Place, Rows
from tune.goal import online
from tune.rungs import Stretch, stretches
from tune.space import Choice
from tune.states import History, States, key_of
from tune.weights import Shared, built

CHECKPOINT = "trial.pt"
Variant = tuple[str, str, float, int]
"""Model, task, dropout and seed."""


@dataclass(frozen=True)
class Arena:
    """What all trials of a sweep share."""

    tasks: dict[str, Task]
    models: dict[Variant, Shared]
    rows: dict[Place, Any]
    """References to `Rows`."""
    constants: dict[str, float]
    """What a constant answer scores, by task."""
    objective: str
    seed: int
    """Of a trial that has none of its own."""
    states: str
    """Folder or URL of `States`."""
    parts: int
    """Of an epoch."""
    rungs: tuple[int, ...]
    """After how many parts a trial is judged, beside the epochs' ends."""
    exchanges_weights: bool
    """Population based training: Ray must have each epoch's weights, and says with which a trial goes on."""
    device: str


class Entry:
    """One task's model in training."""

    def __init__(self, task: str, choice: Choice, arena: Arena) -> None:
        seed = choice.get("seed", arena.seed)
        rows: Rows = ray.get(arena.rows[choice["model"], task, choice["max_tokens"]])
        model = built(arena.models[choice["model"], task, choice["dropout"], seed])
        torch.nn.Module.to(model, torch.device(arena.device))
        self._task, self._rows = arena.tasks[task], rows
        settings = {name: value for name, value in choice.items() if name not in ("model", "max_tokens", "seed")}
        self.fitting = Fitting(model, rows.training, rows.pad, Settings(seed=seed, **settings))

    def trained(self, stretch: Stretch) -> float:
        """Trains; answers the mean loss.

        Raises:
            Diverged: when the loss is not finite.
        """
        number, part = stretch
        return self.fitting.epoch(number, part=part).loss

    def score(self) -> float:
        """On the validation rows."""
        answers = predicted(self.fitting.model, self._rows.validation, self._rows.pad)
        return METRICS[self._task.metric].score(answers, self._rows.validation, self._task.labels)


def trial(settings: dict[str, Any], arena: Arena) -> None:
    """Trains with a choice of settings, and reports at each judgement.

    Reports "validation" (see `goal.online`), "epoch", "parts" of epochs that are done, "key", "seconds" of training,
    and "epochs": {"epoch", "parts", "validation", "scores", "loss", "seconds" of training, "judging" seconds, "began",
    "pid"} of all judgements so far, those of earlier processes included. An epoch that is not whole has a fraction for
    its number. A trial whose loss diverges reports validation 0 and a loss of None, and ends.

    Args:
        settings: A `space.Choice`, or one as "choice".
        arena: Shared by the trials.
    """
    torch.set_num_threads(1)  # as many trials run at once as there are CPUs for them
    choice: Choice = settings.get("choice", settings)
    states = States(arena.states)
    key = ray_tune.get_context().get_trial_id() if arena.exchanges_weights else key_of(choice)
    ended = states.ended(key)
    if ended is not None:
        _report_again(ended, key)
        return
    entries = {task: Entry(task, choice, arena) for task in arena.tasks}
    history = _taken_up(entries, states, key, arena)
    done = history[-1]["parts"] if history else 0
    for stretch in stretches(choice["epochs"], arena.parts, arena.rungs, done):
        history.append(_judged(entries, stretch, choice, arena))
        last = history[-1]["parts"] == choice["epochs"] * arena.parts or history[-1]["loss"] is None
        _keep(entries, history, states, key, arena, last=last)
        if last:
            return


def _judged(entries: dict[str, Entry], stretch: Stretch, choice: Choice, arena: Arena) -> dict[str, Any]:
    """A stretch of all tasks, and the judgement at its end, as its record."""
    began, started = time.time(), time.monotonic()
    loss: float | None = None
    scores, value = dict.fromkeys(entries, 0.0), 0.0
    try:
        loss = round(math.fsum(entry.trained(stretch) for entry in entries.values()) / len(entries), 5)
    except Diverged:
        trained = time.monotonic()
    else:
        trained = time.monotonic()
        scores = {task: entry.score() for task, entry in entries.items()}
        value = online(arena.objective, scores, arena.constants)
    epoch, (_, end, parts) = stretch
    record: dict[str, Any] = {"epoch": epoch if end == parts else round(epoch - 1 + end / parts, 4)}
    record |= {"parts": (epoch - 1) * parts + end, "validation": value, "scores": scores, "loss": loss}
    record |= {"seconds": round(trained - started, 3), "judging": round(time.monotonic() - trained, 3)}
    record |= {"began": round(began, 3), "pid": os.getpid()}
    return record | ({"config": dict(choice)} if arena.exchanges_weights else {})


def _taken_up(entries: dict[str, Entry], states: States, key: str, arena: Arena) -> History:
    """Restores the fittings where an earlier process left them; answers what is done."""
    state = _of_ray() if arena.exchanges_weights else states.under_way(key)
    if state is None:
        return []
    for task, entry in entries.items():
        entry.fitting.restore(state["fittings"][task])
    history: History = state["history"]
    if not arena.exchanges_weights:
        _report_again(history, key)
    return history


def _of_ray() -> dict[str, Any] | None:
    checkpoint = ray_tune.get_checkpoint()
    if checkpoint is None:
        return None
    with checkpoint.as_directory() as folder:
        state: dict[str, Any] = torch.load(Path(folder) / CHECKPOINT, weights_only=True, map_location="cpu")
    return state


def _report_again(history: History, key: str) -> None:
    """Tells a Ray that was killed what it may not know; what it knows it passes over."""
    for done in range(1, len(history) + 1):
        ray_tune.report(_metrics(history[:done], key))


def _keep(entries: dict[str, Entry], history: History, states: States, key: str, arena: Arena, *, last: bool) -> None:
    """Keeps the trial's state, then tells Ray: in this order nothing that Ray knows can be lost."""
    metrics = _metrics(history, key)
    if last:
        states.end(key, history)
        ray_tune.report(metrics)
        return
    state = {"fittings": {task: entry.fitting.state() for task, entry in entries.items()}, "history": list(history)}
    if not arena.exchanges_weights:
        states.keep(key, state)
        ray_tune.report(metrics)
        return
    with tempfile.TemporaryDirectory() as folder:
        torch.save(state, Path(folder) / CHECKPOINT)
        ray_tune.report(metrics, checkpoint=ray_tune.Checkpoint.from_directory(folder))


def _metrics(history: History, key: str) -> dict[str, Any]:
    seconds = math.fsum(epoch["seconds"] for epoch in history)
    last = history[-1]
    return {
        "validation": last["validation"],
        "epoch": last["epoch"],
        "parts": last["parts"],
        "epochs": list(history),
        "seconds": round(seconds, 3),
        "key": key,
    }
