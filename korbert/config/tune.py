"""Section `tune`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from korbert.config.rules import require

OBJECTIVES = ("score", "mean_rank", "mean_normalised")
SCHEDULERS = ("asha", "pbt", "none")
CHOICES = ("batches", "warmups", "decays", "layer_decays", "dropouts")


@dataclass(frozen=True)
class TuneConfig:
    """The hyper-parameter sweep with Ray Tune. A dimension with one value is fixed, with several it is searched."""

    trials: int = 8
    """Settings tried; 0: no sweep. The published grid's come first, Optuna proposes the others."""
    epochs: int = 2
    """Most epochs a trial."""
    parts: int = 3
    """Equal parts of an epoch; ASHA judges a trial first after one of them (1: after an epoch), and then each time
    tune.reduction times later. Every trial is judged at each epoch's end."""
    reduction: int = 3
    """ASHA lets a trial go on that is among the best one in so many that came as far (Hyperband's 3: Li et al.
    2018)."""
    train_limit: int = 2_000
    """Training rows a trial, drawn by seed; 0: all."""
    validation_limit: int = 1_000
    """Validation rows a trial is judged on; 0: all."""
    concurrent: int = 2
    """Trials that run at once, one CPU each."""
    seed: int = 1
    """Seed of the search and of every trial's data."""
    objective: str = "score"
    """What several tasks are judged by: score (mean of the tasks' metrics), mean_normalised (mean of (score - c) /
    (1 - c), c what one constant answer scores), mean_rank (mean rank among the trials; epochs are compared by
    mean_normalised, since ranks change as trials come). One task is judged by its metric, whatever stands here."""
    scheduler: str = "asha"
    """asha (stops weak trials early), pbt (weak trials go on from strong ones' weights with changed settings; settings
    are drawn, not proposed by Optuna), none (every trial runs all its epochs)."""
    rates: tuple[float, ...] = ()
    """Least and greatest learning rate, one value fixes it; empty: half the published grid's least to twice its
    greatest, scaled to the encoder's width."""
    batches: tuple[int, ...] = (16, 32)
    """Batch sizes (the published grid's)."""
    epoch_choices: tuple[int, ...] = ()
    """Lengths of the learning rate's course in epochs, none above tune.epochs; empty: tune.epochs."""
    warmups: tuple[float, ...] = (0.0, 0.1)
    """Shares of the steps that warm up."""
    decays: tuple[float, ...] = (0.0, 0.01)
    """AdamW's weight decays."""
    layer_decays: tuple[float, ...] = (1.0,)
    """A layer's learning rate is the next higher layer's times this; 1: all alike."""
    dropouts: tuple[float, ...] = (0.0, 0.1)
    """Dropouts of encoder and head."""
    lengths: tuple[int, ...] = ()
    """Lengths to which inputs are cut, in tokens; empty: finetune.max_tokens."""
    finalists: int = 3
    """Best trials that run again over tune.final_seeds before one of them is named the winner, by mean validation
    score; 0: the best trial wins at once."""
    final_seeds: tuple[int, ...] = (1, 2, 3)
    """Seeds of the finalists' runs; a run that the sweep itself has made is not made again."""
    gpus_per_trial: float = 0.0
    """Share of a GPU that a trial takes: 0.25 puts four on one; 0: trials run on CPUs."""
    storage: str = ""
    """Folder or fsspec URL of Ray's state and the trials' states, which all nodes reach; empty: beside the results."""

    def __post_init__(self) -> None:
        for name in ("trials", "train_limit", "validation_limit", "finalists"):
            require(getattr(self, name) >= 0, f"tune.{name}", getattr(self, name), "must be 0 or more")
        for name, least in (("epochs", 1), ("concurrent", 1), ("parts", 1), ("reduction", 2)):
            require(getattr(self, name) >= least, f"tune.{name}", getattr(self, name), f"must be at least {least}")
        for name, known in (("objective", OBJECTIVES), ("scheduler", SCHEDULERS)):
            require(getattr(self, name) in known, f"tune.{name}", getattr(self, name), f"must be {', '.join(known)}")
        for name in (*CHOICES, "final_seeds"):
            values = getattr(self, name)
            require(len(values) >= 1, f"tune.{name}", values, "needs at least one value")
            require(len(set(values)) == len(values), f"tune.{name}", values, "must not repeat a value")
        self._check_values()

    def _check_values(self) -> None:
        rates = self.rates
        rising = len(rates) < 2 or (len(rates) == 2 and rates[0] < rates[1])
        require(rising and all(rate > 0 for rate in rates), "tune.rates", rates, "are the least and the greatest rate")
        rules: dict[str, tuple[Callable[[Any], bool], str]] = {
            "batches": (lambda v: v >= 1, "must be 1 or more"),
            "epoch_choices": (lambda v: 1 <= v <= self.epochs, f"must be 1 to tune.epochs = {self.epochs}"),
            "warmups": (lambda v: 0 <= v < 1, "are shares: 0 or more, below 1"),
            "decays": (lambda v: v >= 0, "must be 0 or more"),
            "layer_decays": (lambda v: 0 < v <= 1, "must be above 0, 1 at most"),
            "dropouts": (lambda v: 0 <= v < 1, "are probabilities: 0 or more, below 1"),
            "lengths": (lambda v: 8 <= v <= 8192, "must be 8 to 8192"),
        }
        for name, (holds, rule) in rules.items():
            values = getattr(self, name)
            require(all(holds(value) for value in values), f"tune.{name}", values, rule)
        share = self.gpus_per_trial
        whole = share <= 1 or share == int(share)
        require(share >= 0 and whole, "tune.gpus_per_trial", share, "must be 0, a share of a GPU, or whole GPUs")
