"""One attempt at a sweep: models and rows into Ray's object store, the trials, then the finals."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import ray
from ray import tune as ray_tune
from transformers import PreTrainedModel

from korbert.benchmarks.classifier import load_classifier
from korbert.progress import meter
from korbert.storage import Plan
from tune import finals
from tune.contest import Contest, Place, Rows, stored_bytes
from tune.finals import Record
from tune.progress import Ending, SweepProgress
from tune.rungs import rungs
from tune.search import Make, Storage, listed, results_of, search
from tune.session import Cluster, session
from tune.states import States
from tune.tracking import SweepTracker
from tune.trainable import Arena, Variant, trial
from tune.weights import Shared, Shelf

RAY, WANDB = "ray", "wandb"


class Driver:
    """Runs what is not done yet, and answers all."""

    def __init__(self, contest: Contest, plan: Plan, rows: Mapping[Place, Rows]) -> None:
        self._contest, self._config, self._rows = contest, contest.config.tune, rows
        self._space = contest.space()
        self._group = f"sweep-{plan.key[:8]}"
        self._folder = plan.path.resolve()
        self._storage = Storage.of(self._config.storage, self._group, self._folder / RAY)

    def all_trials(self, cluster: Cluster) -> tuple[list[Record], list[Record]]:
        """The sweep's trials and the finals' runs, those of interrupted attempts included.

        Raises:
            WorldError: when Ray cannot start or a trial keeps failing.
        """
        config = self._config
        if not config.trials:
            return [], []
        models = self._models([config.seed], self._space.values["dropout"])
        size = stored_bytes(self._rows) + sum(_nbytes(model) for model in models.values())
        with (
            session(cluster, cpus=config.concurrent, gpus=config.gpus_per_trial, data_bytes=size),
            SweepTracker.writing(self._contest.config.tracking, self._group, self._folder / WANDB),
        ):
            shelf = Shelf()
            arena = self._arena({variant: shelf.put(model) for variant, model in models.items()})
            trials = self._swept(arena)
            return trials, self._finals(trials, arena, shelf)

    def clear(self) -> None:
        """Frees the disk of the trials' weights: a finished sweep is not continued."""
        States(self._storage.states).clear()
        for checkpoint in (self._folder / RAY).glob("*/*/checkpoint_*"):
            shutil.rmtree(checkpoint, ignore_errors=True)

    def _swept(self, arena: Arena) -> list[Record]:
        config = self._config
        parts = config.trials * config.epochs * config.parts
        return self._records("sweep", parts, arena, partial(search, config, self._space))

    def _finals(self, trials: list[Record], arena: Arena, shelf: Shelf) -> list[Record]:
        choices = finals.wanted(trials, self._config)
        if not choices:
            return []
        seeds, dropouts = sorted({c["seed"] for c in choices}), tuple(sorted({c["dropout"] for c in choices}))
        models = {variant: shelf.put(model) for variant, model in self._models(seeds, dropouts).items()}
        arena = replace(arena, models=models, rungs=(), exchanges_weights=False)
        parts = sum(choice["epochs"] for choice in choices) * self._config.parts
        return self._records("finals", parts, arena, partial(listed, self._config, choices))

    def _records(self, name: str, parts: int, arena: Arena, make: Make) -> list[Record]:
        callbacks = [SweepProgress(), Ending(arena.states), SweepTracker()]
        trainable = ray_tune.with_parameters(trial, arena=arena)
        most = self._config.epochs * self._config.parts
        with meter(name, parts) as progress, SweepProgress.shown_by(progress, most):
            results = results_of(name, self._storage, trainable, make, self._config, callbacks)
        states = States(arena.states)
        # A scheduler that hears old epochs again may stop the trial amidst them: what has been trained counts whole.
        records = [finals.record(result, states.ended((result.metrics or {})["key"])) for result in results]
        return sorted(records, key=lambda record: record["trial"])

    def _models(self, seeds: list[int], dropouts: tuple[float, ...]) -> dict[Variant, PreTrainedModel]:
        """Every model that a trial may start from: the head is drawn by seed, as fine-tuning draws it."""
        found = {name: self._contest.task(name) for name in self._contest.folders}
        return {
            (model, name, dropout, seed): load_classifier(folder, task.labels, dropout, seed, task.head)
            for model, folder in self._contest.models.items()
            for name, task in found.items()
            for dropout in dropouts
            for seed in seeds
        }

    def _arena(self, models: dict[Variant, Shared]) -> Arena:
        references = {key: ray.put(found) for key, found in {id(rows): rows for rows in self._rows.values()}.items()}
        return Arena(
            tasks={name: self._contest.task(name) for name in self._contest.folders},
            models=models,
            rows={place: references[id(rows)] for place, rows in self._rows.items()},
            constants=self._contest.constants(self._rows),
            objective=self._config.objective,
            seed=self._config.seed,
            states=self._storage.states,
            parts=self._config.parts,
            rungs=rungs(self._config),
            exchanges_weights=self._config.scheduler == "pbt",
            device="cuda" if self._config.gpus_per_trial else "cpu",
        )


def _nbytes(model: PreTrainedModel) -> int:
    return sum(tensor.nbytes for tensor in model.state_dict().values())
