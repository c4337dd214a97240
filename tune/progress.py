"""Shows a sweep's epochs as they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from ray.tune import Callback

from korbert.progress import Meter


class SweepProgress(Callback):
    """Advances a meter by an epoch at each result, and by a stopped trial's other epochs at its end.

    Ray pickles callbacks with its state, and unpickles them where a sweep is restored: the meter, which belongs to
    this process, is the class's, not the object's.
    """

    _meter: ClassVar[Meter | None] = None
    _epochs: ClassVar[int] = 0
    _best: ClassVar[float] = 0.0

    @classmethod
    @contextmanager
    def shown_by(cls, meter: Meter, epochs: int) -> Iterator[None]:
        """Uses `meter`, whose unit is an epoch of a trial; `epochs` is the most a trial has."""
        cls._meter, cls._epochs, cls._best = meter, epochs, 0.0
        try:
            yield
        finally:
            cls._meter = None

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Ray's call after each epoch."""
        type(self)._best = max(self._best, result["validation"])
        self._advance(1)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Ray's call when a trial is done or stopped."""
        done = len((trial.last_result or {}).get("epochs", ()))
        self._advance(self._epochs - done)

    def _advance(self, epochs: int) -> None:
        if self._meter is not None:
            self._meter.advance(epochs, f"best validation {self._best:.3f}")
