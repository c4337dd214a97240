"""Shows a sweep's progress, and closes the books of trials that are stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from ray.tune import Callback

from korbert.progress import Meter
from tune.states import States


class SweepProgress(Callback):
    """Advances a meter whose unit is a part of an epoch of a trial; what a stopped trial is spared counts as done.

    Ray pickles callbacks with its state, and unpickles them where a sweep is restored: the meter, which belongs to
    this process, is the class's, not the object's.
    """

    _meter: ClassVar[Meter | None] = None
    _parts: ClassVar[int] = 0
    _shown: ClassVar[int] = 0

    @classmethod
    @contextmanager
    def shown_by(cls, meter: Meter, parts: int) -> Iterator[None]:
        """Uses `meter`; `parts` are the most a trial has."""
        cls._meter, cls._parts, cls._shown = meter, parts, 0
        try:
            yield
        finally:
            cls._meter = None

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Ray's call after each judgement."""
        self._show(trials)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Ray's call when a trial is done or stopped."""
        self._show(trials)

    def _show(self, trials: list[Any]) -> None:
        """Shows the state of all trials, those that a restored sweep finished before included."""
        results = [trial.last_result or {} for trial in trials]
        done = sum(
            self._parts if trial.is_finished() else result.get("parts", 0)
            for trial, result in zip(trials, results, strict=True)
        )
        best = max((result["validation"] for result in results if "validation" in result), default=0.0)
        if self._meter is not None and done > self._shown:
            self._meter.advance(done - self._shown, f"best validation {best:.3f}")
            type(self)._shown = done


class Ending(Callback):
    """Ends the state of each trial that is done or stopped: a driver killed right after it does not train it on."""

    def __init__(self, states: str) -> None:
        self._url = states

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Ray's call when a trial is done or stopped."""
        result = trial.last_result or {}
        if "key" in result:
            States(self._url).end(result["key"], result["epochs"])
