"""Writes token shards, one at a time, each whole and on the disk before the next begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import chain, count, islice, takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from korbert.data.bits import BitWriter, give_up, settle
from korbert.data.shards import (
    INDEX,
    EncodedBatch,
    Sentence,
    ShardCounts,
    Special,
    TokenType,
    mapped,
    morphemes_file,
    shard_files,
    token_dtype,
)
from korbert.storage import write_json

# Tokens whose ids are looked at together, so that a count over a shard does not hold the shard in memory.
_CHUNK = 1 << 22
# Documents laid together by `write_store`.
_TOGETHER = 256


def write_store(
    folder: Path,
    documents: Iterable[list[Sentence]],
    *,
    vocab_size: int,
    special: Special,
    shard_tokens: int,
    morphemes: bool = False,
) -> list[ShardCounts]:
    """Writes all shards and the index; a shard ends with the document that fills `shard_tokens`. With `morphemes`,
    their starts as well, which the sentences must know."""
    source = iter(documents)
    batches = iter(lambda: EncodedBatch.of(islice(source, _TOGETHER)), None)
    filled = takewhile(lambda batch: len(batch.documents), batches)
    dtype = token_dtype(vocab_size)
    counts = list(write_shards(folder, filled, dtype=dtype, shard_tokens=shard_tokens, morphemes=morphemes))
    write_index(folder, counts, vocab_size=vocab_size, special=special, morphemes=morphemes)
    return counts


def write_shards(
    folder: Path,
    batches: Iterable[EncodedBatch],
    *,
    dtype: TokenType,
    shard_tokens: int,
    first: int = 0,
    morphemes: bool = False,
) -> Iterator[ShardCounts]:
    """Writes shards from number `first` on, and answers each one's counts when it is whole and on the disk.

    A shard ends with the document that fills `shard_tokens`, whatever the batches. Memory is bounded by one batch and
    one shard's ends; an error leaves nothing of the shard it hit.
    """
    source, rest = iter(batches), None
    for number in count(first):
        batch = rest if rest is not None else next(source, None)
        if batch is None:
            return
        writer = _ShardWriter(folder, number, dtype, morphemes)
        try:
            rest = writer.fill(chain([batch], source), shard_tokens)
            counts = writer.close()
        except BaseException:
            writer.discard()
            raise
        yield counts


def write_index(
    folder: Path, counts: Iterable[ShardCounts], *, vocab_size: int, special: Special, morphemes: bool = False
) -> None:
    """Writes `index.json` over shards that are there."""
    shards, dtype = list(counts), token_dtype(vocab_size)
    frequency = token_frequency(folder, len(shards), vocab_size)
    write_json(
        folder / INDEX,
        {
            "vocab_size": vocab_size,
            "special": asdict(special),
            "dtype": dtype.name,
            "unigram_entropy": entropy(frequency),
            "shards": [asdict(shard) for shard in shards],
        }
        | ({"morphemes": True} if morphemes else {}),
    )


def token_frequency(folder: Path, shards: int, vocab_size: int) -> NDArray[np.int64]:
    """How often each token id stands in the shards (vocab_size,)."""
    frequency = np.zeros(vocab_size, dtype=np.int64)
    for number in range(shards):
        ids = mapped(folder / shard_files(number)[0], token_dtype(vocab_size))
        for begin in range(0, len(ids), _CHUNK):
            frequency += np.bincount(ids[begin : begin + _CHUNK], minlength=vocab_size)
    return frequency


def entropy(frequency: NDArray[np.int64]) -> float:
    """Shannon entropy in nats of a frequency table; 0 for an empty one."""
    p = frequency[frequency > 0] / max(1, frequency.sum())
    return float(-(p * np.log(p)).sum()) if p.size else 0.0


class _ShardWriter:
    def __init__(self, folder: Path, number: int, dtype: TokenType, morphemes: bool) -> None:
        self._paths = [folder / name for name in (*shard_files(number), morphemes_file(number))]
        self._dtype = dtype
        self._tokens, self._starts = self._paths[0].open("wb"), BitWriter(self._paths[1])
        self._morphemes = BitWriter(self._paths[4]) if morphemes else None
        self._sentences: list[NDArray[np.int64]] = []
        self._documents: list[NDArray[np.int64]] = []
        self.tokens = 0

    def fill(self, batches: Iterable[EncodedBatch], shard_tokens: int) -> EncodedBatch | None:
        """Takes documents until there are `shard_tokens`; answers what is left of the last batch, if anything is."""
        for batch in batches:
            enough = int(np.searchsorted(batch.document_tokens(), shard_tokens - self.tokens)) + 1
            mine, others = batch.parted(enough)
            self.add(mine)
            if self.tokens >= shard_tokens:
                return others if len(others.documents) else None
        return None

    def add(self, batch: EncodedBatch) -> None:
        self._tokens.write(batch.tokens.astype(self._dtype, copy=False).tobytes())
        self._starts.write(batch.starts)
        if self._morphemes:
            assert len(batch.morphemes) == len(batch.tokens)
            self._morphemes.write(batch.morphemes)
        self._sentences.append(batch.sentences)
        self._documents.append(batch.documents)
        self.tokens += len(batch.tokens)

    def close(self) -> ShardCounts:
        settle(self._tokens)
        for flags in self._flags():
            flags.close()
        sentences, documents = (np.cumsum(np.concatenate(sizes)) for sizes in (self._sentences, self._documents))
        for path, ends in zip(self._paths[2:4], (sentences, documents), strict=True):
            with path.open("wb") as handle:
                np.save(handle, ends)
                settle(handle)
        return ShardCounts(self.tokens, len(sentences), len(documents))

    def discard(self) -> None:
        give_up(self._tokens)
        for flags in self._flags():
            flags.discard()
        for path in self._paths:
            path.unlink(missing_ok=True)

    def _flags(self) -> list[BitWriter]:
        return [self._starts, *([self._morphemes] if self._morphemes else [])]
