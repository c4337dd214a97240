"""A sweep in Weights & Biases: a run a trial, all in one group; after a resume the trials' runs are the same ones.

The driver writes them, one process for all: a process of wandb's own a trial would cost more than many a trial does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ray.tune import Callback

from korbert.config import TrackingConfig
from korbert.storage import read_json, write_json

SENT = "sent.json"


class SweepTracker(Callback):
    """Logs each new judgement of each trial; after the first failure it warns once and stays silent.

    Ray pickles callbacks with its state and unpickles them where a sweep is restored: what belongs to this process is
    the class's. What has been sent stands in a file of its own, since Ray's state is a second old when it is killed.
    """

    _runs: ClassVar[dict[str, Any]] = {}
    _start: ClassVar[Callable[[str, dict[str, Any]], Any] | None] = None
    _sent: ClassVar[dict[str, int]] = {}
    """Judgements sent, by trial."""
    _book: ClassVar[Path] = Path()

    @classmethod
    @contextmanager
    def writing(cls, config: TrackingConfig, group: str, folder: Path) -> Iterator[None]:
        """Starts runs of group `group`, a sweep's id, in `folder`, and completes them."""
        mode = config.mode
        if mode == "auto":
            mode = "online" if os.environ.get("WANDB_API_KEY") else "offline"
        cls._runs, cls._book = {}, folder / SENT
        cls._sent = (read_json(cls._book) if cls._book.is_file() else None) or {}
        if mode != "disabled":
            cls._start = lambda key, settings: _started(config.project, mode, group, folder, key, settings)
        try:
            yield
        finally:
            for run in cls._runs.values():
                cls._guarded(run.finish)
            cls._runs, cls._start = {}, None

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Ray's call after each judgement."""
        key = result["key"]
        for epoch in result["epochs"][self._sent.get(key, 0) :]:
            self._guarded(partial(self._log, key, result["config"], epoch))

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Ray's call when a trial is done or stopped."""
        run = self._runs.pop((trial.last_result or {}).get("key", ""), None)
        if run is not None:
            self._guarded(run.finish)

    @classmethod
    def _log(cls, key: str, settings: dict[str, Any], epoch: dict[str, Any]) -> None:
        if cls._start is None:
            return
        if key not in cls._runs:
            cls._runs[key] = cls._start(key, settings.get("choice", settings))
        scores = {f"scores/{task}": score for task, score in epoch["scores"].items()}
        cls._runs[key].log({name: epoch[name] for name in ("epoch", "validation", "loss", "seconds")} | scores)
        cls._sent[key] = cls._sent.get(key, 0) + 1
        write_json(cls._book, cls._sent)

    @classmethod
    def _guarded(cls, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            cls._start = None
            print(f"wandb: {type(error).__name__}: {error}; the sweep goes on without it", file=sys.stderr)


def _started(project: str, mode: str, group: str, folder: Path, key: str, settings: dict[str, Any]) -> Any:
    import wandb

    folder.mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        id=f"{group}-{key}",
        resume="allow",
        reinit="create_new",  # several trials run at once
        project=project,
        group=group,
        name=key,
        config=settings,
        dir=str(folder.parent),  # wandb makes its own folder `wandb` there
        mode="online" if mode == "online" else "offline",
        settings=wandb.Settings(silent=True, console="off", disable_git=True, save_code=False, x_disable_stats=True),
    )
    run.define_metric("*", step_metric="epoch")
    return run
