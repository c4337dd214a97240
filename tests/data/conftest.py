"""Token stores of random documents, small enough to check every token."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from korbert.data.shard_writer import write_store
from korbert.data.shards import Sentence, Special, TokenStore

SPECIAL = Special(pad=0, unk=1, cls=2, sep=3, mask=4)
VOCABULARY = 300

MakeStore = Callable[[list[list[int]]], TokenStore]


@pytest.fixture
def make_store(tmp_path: Path) -> MakeStore:
    """Builds a store from documents given as sentence lengths; tokens, word and morpheme starts are random."""

    def make(documents: list[list[int]], *, shard_tokens: int = 10**9, morphemes: bool = False) -> TokenStore:
        rng, other = np.random.default_rng(7), np.random.default_rng(8)
        folder = tmp_path / f"store-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()

        def sentence(length: int) -> Sentence:
            starts = rng.random(length) < 0.5
            starts[:1] = True
            tokens = rng.integers(5, VOCABULARY, length).astype(np.uint16)
            return Sentence(tokens, starts, starts | (other.random(length) < 0.3))

        texts = [[sentence(length) for length in lengths] for lengths in documents]
        sizes = {"vocab_size": VOCABULARY, "shard_tokens": shard_tokens}
        write_store(folder, texts, special=SPECIAL, morphemes=morphemes, **sizes)
        return TokenStore(folder)

    return make


@pytest.fixture
def store(make_store: MakeStore) -> TokenStore:
    """Sixty documents of up to twelve sentences over several shards, short and very long sentences among them."""
    rng = np.random.default_rng(3)
    documents = [[int(n) for n in rng.geometric(0.08, rng.integers(1, 13))] for _ in range(58)]
    return make_store([*documents, [200, 3, 90], [1]], shard_tokens=1500)
