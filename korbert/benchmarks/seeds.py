"""The finished seeds of a fine-tuning run on disk: a record each, and the model of the best of them.

Order of writing: the model first, the record after it, other models removed last. Whenever the process is killed,
the best finished seed has its model, or its record is forgotten and the seed runs again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from korbert.storage import read_json, write_json

RECORDS, MODEL = "seeds", "model"


class FinishedSeeds:
    """What the finished seeds gave, by seed."""

    def __init__(self, folder: Path, seeds: tuple[int, ...]) -> None:
        """Takes up what an earlier attempt left in `folder`; `seeds` is the order in which they run."""
        self._folder, self._seeds = folder, seeds
        (folder / RECORDS).mkdir(exist_ok=True)
        self.records: dict[int, dict[str, Any]] = {
            seed: read_json(self._record(seed)) for seed in seeds if self._record(seed).is_file()
        }
        best = self.best
        if best is not None and not (self._model(best).is_dir() or self.model.is_dir()):
            self._record(best).unlink()
            del self.records[best]

    @property
    def model(self) -> Path:
        """Where the best seed's model lies once all are done."""
        return self._folder / MODEL

    @property
    def best(self) -> int | None:
        """The seed with the best validation accuracy, the first of equals; test scores have no say."""
        return max(
            (seed for seed in self._seeds if seed in self.records),
            key=lambda seed: max(self.records[seed]["validation"]),
            default=None,
        )

    def add(self, record: dict[str, Any], save_model: Callable[[Path], None]) -> None:
        """Keeps a seed's record, and its model if no other is better.

        Args:
            record: With "seed" and "validation" (accuracy by epoch).
            save_model: Writes the model into the folder it is given.
        """
        seed = record["seed"]
        before, self.records[seed] = self.best, record
        if self.best == seed:
            save_model(self._model(seed))
        write_json(self._record(seed), record)
        if before is not None and self.best == seed:
            shutil.rmtree(self._model(before), ignore_errors=True)

    def publish_model(self) -> None:
        """Gives the best model its final name and removes the others."""
        assert self.best is not None
        if self._model(self.best).is_dir():
            shutil.rmtree(self.model, ignore_errors=True)
            self._model(self.best).rename(self.model)
        for other in self._folder.glob(f"{MODEL}-*"):
            shutil.rmtree(other, ignore_errors=True)

    def _record(self, seed: int) -> Path:
        return self._folder / RECORDS / f"{seed}.json"

    def _model(self, seed: int) -> Path:
        return self._folder / f"{MODEL}-{seed}"
