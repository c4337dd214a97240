"""The workspace of a run that has got as far as its export, a small sweep ahead; and sweeps killed on their way."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import korbert
from korbert import recipes
from korbert.chain import Workspace
from korbert.config import Config, TrackingConfig
from korbert.storage import Plan, publishing

Killed = Callable[[list[str], Callable[[], bool]], None]


@pytest.fixture
def config() -> Config:
    """Three trials, one after another, on the reviews that ship."""
    demo = recipes.demo()
    sweep = replace(demo.tune, trials=3, epochs=3, train_limit=0, validation_limit=0, concurrent=1, finalists=0)
    finetune = replace(demo.finetune, max_tokens=32)
    return replace(demo, finetune=finetune, tune=sweep, tracking=TrackingConfig(mode="disabled"))


@pytest.fixture
def workspace(tmp_path: Path, encoder: Path, config: Config) -> Workspace:
    """A workspace whose export is published."""
    made = Workspace(tmp_path / "run")
    made.save(config)
    with publishing(Plan("export", made.path("export"), 1, {}, {})) as draft:
        shutil.copytree(encoder, draft.path, dirs_exist_ok=True)
    return made


@pytest.fixture
def killed() -> Killed:
    """Starts `python -m tune` with arguments, and kills it with SIGKILL as soon as something holds."""

    def start_and_kill(arguments: list[str], holds: Callable[[], bool]) -> None:
        environment = os.environ | {"PYTHONPATH": str(Path(korbert.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
        # A driver of a user's has a wandb-core of its own; that of this process would still hold the killed one's runs.
        environment.pop("WANDB_SERVICE", None)
        driver = subprocess.Popen([sys.executable, "-m", "tune", *arguments], env=environment)
        try:
            while not holds():
                assert driver.poll() is None
                time.sleep(0.02)
        finally:
            driver.kill()
        assert driver.wait() == -signal.SIGKILL

    return start_and_kill
