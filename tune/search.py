"""Ray Tune's parts as a sweep puts them together: new, or taken up where a killed driver left them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import optuna
from pyarrow.fs import FSSpecHandler, PyFileSystem
from ray import tune as ray_tune
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, PopulationBasedTraining
from ray.tune.search import BasicVariantGenerator
from ray.tune.search.optuna import OptunaSearch

from korbert.config import TuneConfig
from korbert.errors import WorldError
from tune.space import Choice, Space

TRIAL_RESTARTS = 2
Make = Callable[[ray_tune.RunConfig, Any], ray_tune.Tuner]
"""Makes a tuner of a run's config and what gets a trial's settings."""


@dataclass(frozen=True)
class Storage:
    """Where Ray keeps its state."""

    url: str
    """A folder's absolute path, or an fsspec URL."""

    @classmethod
    def of(cls, chosen: str, group: str, own: Path) -> Storage:
        """A folder for this sweep where `chosen` is, or `own` where that is empty."""
        if not chosen:
            return cls(str(own))
        return cls(f"{chosen.rstrip('/')}/{group}" if "://" in chosen else str(Path(chosen).resolve() / group))

    @property
    def path(self) -> str:
        """As Ray takes it beside `system`."""
        return self.url if self.system is None else str(fsspec.core.url_to_fs(self.url)[1])

    @property
    def system(self) -> Any:
        """What reads and writes there; None for a local folder, which Ray knows itself."""
        if "://" not in self.url:
            return None
        return PyFileSystem(FSSpecHandler(fsspec.core.url_to_fs(self.url)[0]))

    @property
    def states(self) -> str:
        """Folder or URL of the trials' states."""
        return f"{self.url}/states"


def results_of(
    name: str, storage: Storage, trainable: Any, make: Make, config: TuneConfig, callbacks: Sequence[ray_tune.Callback]
) -> list[ray_tune.Result]:
    """All trials' results, those of an interrupted attempt included.

    Args:
        name: Of Ray's experiment.
        storage: Where it lies.
        trainable: Gets a trial's settings.
        make: Makes a new tuner where there is none to go on with.
        config: Says what a trial takes.
        callbacks: Told of trials.

    Raises:
        WorldError: when a trial keeps failing.
    """
    # A resumed trial tells its epochs again, see trainable._report_again: no news to Optuna.
    warnings.filterwarnings("ignore", "The reported value is ignored", UserWarning)
    place = f"{storage.path}/{name}"
    resources = {"cpu": 1.0} | ({"gpu": config.gpus_per_trial} if config.gpus_per_trial else {})
    equipped = ray_tune.with_resources(trainable, resources)
    if ray_tune.Tuner.can_restore(place, storage_filesystem=storage.system):
        tuner = ray_tune.Tuner.restore(
            place, equipped, restart_errored=True, storage_filesystem=storage.system
        )  # fmt: skip
    else:
        run = ray_tune.RunConfig(
            name=name,
            storage_path=storage.path,
            storage_filesystem=storage.system,
            verbose=0,
            callbacks=list(callbacks),
            failure_config=ray_tune.FailureConfig(max_failures=TRIAL_RESTARTS),
            checkpoint_config=ray_tune.CheckpointConfig(num_to_keep=2 if config.scheduler == "pbt" else 1),
        )
        tuner = make(run, equipped)
    results = tuner.fit()
    if results.errors:
        reason = (str(results.errors[0]).strip().splitlines() or ["no reason"])[-1]
        raise WorldError(f"sweep: {len(results.errors)} trials failed ({reason}); see {place}, then run again")
    return [results[number] for number in range(len(results))]


def search(config: TuneConfig, space: Space, run: ray_tune.RunConfig, trainable: Any) -> ray_tune.Tuner:
    """The published grid, then what the search proposes, under the scheduler."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    points = space.grid()[: config.trials]
    if config.scheduler == "pbt":
        algorithm: Any = BasicVariantGenerator(points_to_evaluate=points, random_state=config.seed)
        drawn: dict[str, Any] | None = space.domains()
    else:
        # Optuna draws what the grid leaves over, starting from the grid's results.
        algorithm = OptunaSearch(
            space.distributions(), metric="validation", mode="max", points_to_evaluate=points, seed=config.seed
        )
        drawn = None
    settings = ray_tune.TuneConfig(
        metric="validation",
        mode="max",
        num_samples=config.trials,
        # A population waits for all its members: those that wait hold no CPU.
        max_concurrent_trials=None if config.scheduler == "pbt" else config.concurrent,
        search_alg=algorithm,
        scheduler=_scheduler(config, space),
        reuse_actors=True,  # a new process a trial would import torch again: 29.8 s became 12.7 s for six trials
    )
    return ray_tune.Tuner(trainable, param_space=drawn, tune_config=settings, run_config=run)


def listed(config: TuneConfig, choices: Sequence[Choice], run: ray_tune.RunConfig, trainable: Any) -> ray_tune.Tuner:
    """Just these settings, all to their end."""
    settings = ray_tune.TuneConfig(
        metric="validation", mode="max", max_concurrent_trials=config.concurrent, reuse_actors=True
    )
    space = {"choice": ray_tune.grid_search(list(choices))}
    return ray_tune.Tuner(trainable, param_space=space, tune_config=settings, run_config=run)


def _scheduler(config: TuneConfig, space: Space) -> Any:
    if config.scheduler == "pbt":
        return PopulationBasedTraining(
            time_attr="epoch", perturbation_interval=1, hyperparam_mutations=space.mutations(), synch=True
        )
    if config.scheduler == "none":
        return FIFOScheduler()  # type: ignore[no-untyped-call]
    return ASHAScheduler(
        time_attr="parts", max_t=config.epochs * config.parts, grace_period=1, reduction_factor=config.reduction
    )
