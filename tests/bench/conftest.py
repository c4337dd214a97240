"""A small shape and a text of random tokens with sentences of many lengths."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from korbert import recipes
from korbert.config import Config, ModelConfig
from korbert.data.shard_writer import write_store
from korbert.data.shards import Sentence, Special


@pytest.fixture
def config() -> Config:
    shape = ModelConfig(layers=1, hidden=32, heads=2, intermediate=64, max_positions=128, dropout=0.0)
    return replace(recipes.tiny(), model=shape)


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)

    def sentence() -> Sentence:
        length = int(rng.integers(5, 40))
        return Sentence(rng.integers(5, 300, length).astype(np.uint16), rng.random(length) < 0.5)

    documents = [[sentence() for _ in range(8)] for _ in range(60)]
    folder = tmp_path / "tokens"
    folder.mkdir()
    write_store(folder, documents, vocab_size=300, special=Special(0, 1, 2, 3, 4), shard_tokens=10**6)
    return folder
