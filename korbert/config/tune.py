"""Section `tune`."""

from __future__ import annotations

from dataclasses import dataclass

from korbert.config.rules import require


@dataclass(frozen=True)
class TuneConfig:
    """The hyper-parameter sweep with Ray Tune."""

    trials: int = 8
    """Settings tried; 0: no sweep. The published grid's come first, Optuna proposes the others."""
    epochs: int = 2
    """Most epochs a trial; ASHA stops the weak ones after the first."""
    train_limit: int = 2_000
    """Training rows a trial, drawn by seed; 0: all."""
    validation_limit: int = 1_000
    """Validation rows a trial is judged on; 0: all."""
    concurrent: int = 2
    """Trials that run at once, one CPU each."""
    seed: int = 1
    """Seed of the search and of every trial's data."""

    def __post_init__(self) -> None:
        for name in ("trials", "train_limit", "validation_limit"):
            require(getattr(self, name) >= 0, f"tune.{name}", getattr(self, name), "must be 0 or more")
        for name in ("epochs", "concurrent"):
            require(getattr(self, name) >= 1, f"tune.{name}", getattr(self, name), "must be at least 1")
