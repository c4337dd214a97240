"""The workspace of a run that has got as far as its export, with a small sweep ahead."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from korbert import recipes
from korbert.chain import Workspace
from korbert.config import Config
from korbert.storage import Plan, publishing


@pytest.fixture
def config() -> Config:
    """Three trials, one after another, on the reviews that ship."""
    demo = recipes.demo()
    sweep = replace(demo.tune, trials=3, epochs=3, train_limit=0, validation_limit=0, concurrent=1)
    return replace(demo, finetune=replace(demo.finetune, max_tokens=32), tune=sweep)


@pytest.fixture
def workspace(tmp_path: Path, encoder: Path, config: Config) -> Workspace:
    """A workspace whose export is published."""
    made = Workspace(tmp_path / "run")
    made.save(config)
    with publishing(Plan("export", made.path("export"), 1, {}, {})) as draft:
        shutil.copytree(encoder, draft.path, dirs_exist_ok=True)
    return made
