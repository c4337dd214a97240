"""The encoded corpus on disk: memory-mapped token shards with sentence ends, document ends and word starts.

A tokens artefact holds, a shard N:
    tokens-N.bin     uint16, little endian: the token ids of all sentences, no special tokens
    starts-N.bin     one bit a token (numpy's little bit order), 1 where a word (eojeol) starts
    sentences-N.npy  int64 (sentences,): cumulative tokens at each sentence's end, within the shard
    documents-N.npy  int64 (documents,): cumulative sentences at each document's end, within the shard
and `index.json` with the vocabulary's size, its special ids, the shards' counts and the unigram entropy in nats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from korbert.errors import UsageError
from korbert.storage import read_json, write_json

INDEX = "index.json"
TOKEN_DTYPE = np.dtype("<u2")


@dataclass(frozen=True)
class Special:
    """Ids of the special tokens."""

    pad: int
    unk: int
    cls: int
    sep: int
    mask: int


@dataclass(frozen=True)
class ShardCounts:
    """How much a shard holds."""

    tokens: int
    sentences: int
    documents: int


@dataclass(frozen=True)
class Sentence:
    """One encoded sentence: token ids (n,) and, for each, whether a word starts there (n,)."""

    tokens: NDArray[np.uint16]
    starts: NDArray[np.bool_]


class Shard:
    """One shard's arrays, memory-mapped."""

    def __init__(self, folder: Path, number: int) -> None:
        def path(kind: str, ending: str) -> Path:
            return folder / f"{kind}-{number:05d}.{ending}"

        self.sentence_ends: NDArray[np.int64] = np.load(path("sentences", "npy"), mmap_mode="r")
        self.document_ends: NDArray[np.int64] = np.load(path("documents", "npy"), mmap_mode="r")
        self._tokens = _mapped(path("tokens", "bin"), TOKEN_DTYPE)
        self._starts = _mapped(path("starts", "bin"), np.dtype(np.uint8))

    def tokens(self, begin: int, end: int) -> NDArray[np.uint16]:
        """Token ids [begin, end) of the shard."""
        return np.asarray(self._tokens[begin:end])

    def starts(self, begin: int, end: int) -> NDArray[np.bool_]:
        """Word-start flags of tokens [begin, end)."""
        first = begin // 8
        bits = np.unpackbits(self._starts[first : -(-end // 8)], bitorder="little")
        return bits[begin - 8 * first : end - 8 * first].astype(np.bool_)


def _mapped(path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A file as a memory-mapped array. An empty one (a last shard of empty documents) cannot be mapped."""
    return np.memmap(path, dtype=dtype, mode="r") if path.stat().st_size else np.zeros(0, dtype)


class TokenStore:
    """A whole tokens artefact, opened for reading."""

    def __init__(self, folder: Path) -> None:
        """Opens the shards of `folder`.

        Raises:
            UsageError: when the folder is no tokens artefact, or a file is shorter than its index says.
        """
        index = read_json(folder / INDEX)
        self.vocab_size: int = index["vocab_size"]
        self.special = Special(**index["special"])
        self.unigram_entropy: float = index["unigram_entropy"]
        """Entropy of the token distribution in nats: the loss of a model that knows frequencies only."""
        self.counts = [ShardCounts(**counts) for counts in index["shards"]]
        self.shards = [self._open(folder, number) for number in range(len(self.counts))]

    def _open(self, folder: Path, number: int) -> Shard:
        try:
            shard = Shard(folder, number)
        except (OSError, ValueError, EOFError) as error:
            raise UsageError(f"{folder} shard {number}: {error}; run: korbert run --from tokens") from error
        held = (len(shard._tokens), len(shard.sentence_ends), len(shard.document_ends))
        counts = self.counts[number]
        whole = len(shard._starts) == -(-counts.tokens // 8)
        if not whole or held != (counts.tokens, counts.sentences, counts.documents):
            raise UsageError(
                f"{folder} shard {number}: holds {held}, its index says {counts}; run: korbert run --from tokens"
            )
        return shard

    @property
    def tokens(self) -> int:
        """Tokens in all shards."""
        return sum(counts.tokens for counts in self.counts)


def write_store(
    folder: Path, documents: Iterable[list[Sentence]], *, vocab_size: int, special: Special, shard_tokens: int
) -> list[ShardCounts]:
    """Writes all shards and the index; a shard ends with the document that fills `shard_tokens`.

    Memory is bounded by one shard's offsets; tokens go straight to disk.
    """
    assert vocab_size <= 1 << 16
    frequency = np.zeros(vocab_size, dtype=np.int64)
    counts: list[ShardCounts] = []
    source = iter(documents)
    first = next(source, None)
    while first is not None:
        writer = _ShardWriter(folder, len(counts), frequency)
        writer.add(first)
        first = None
        for document in source:
            if writer.tokens >= shard_tokens:
                first = document
                break
            writer.add(document)
        counts.append(writer.close())
    write_json(
        folder / INDEX,
        {
            "vocab_size": vocab_size,
            "special": asdict(special),
            "unigram_entropy": entropy(frequency),
            "shards": [asdict(shard) for shard in counts],
        },
    )
    return counts


def entropy(frequency: NDArray[np.int64]) -> float:
    """Shannon entropy in nats of a frequency table; 0 for an empty one."""
    p = frequency[frequency > 0] / max(1, frequency.sum())
    return float(-(p * np.log(p)).sum()) if p.size else 0.0


class _ShardWriter:
    def __init__(self, folder: Path, number: int, frequency: NDArray[np.int64]) -> None:
        self._folder, self._number, self._frequency = folder, number, frequency
        self._file = (folder / f"tokens-{number:05d}.bin").open("wb")
        self._starts: list[NDArray[np.bool_]] = []
        self._sentence_ends: list[int] = []
        self._document_ends: list[int] = []
        self.tokens = 0

    def add(self, document: list[Sentence]) -> None:
        for sentence in document:
            self._file.write(sentence.tokens.astype(TOKEN_DTYPE).tobytes())
            self._starts.append(sentence.starts)
            self.tokens += len(sentence.tokens)
            self._sentence_ends.append(self.tokens)
            np.add.at(self._frequency, sentence.tokens, 1)
        self._document_ends.append(len(self._sentence_ends))

    def close(self) -> ShardCounts:
        self._file.close()
        bits = np.packbits(np.concatenate(self._starts or [np.zeros(0, np.bool_)]), bitorder="little")
        bits.tofile(self._folder / f"starts-{self._number:05d}.bin")
        np.save(self._folder / f"sentences-{self._number:05d}.npy", np.asarray(self._sentence_ends, dtype=np.int64))
        np.save(self._folder / f"documents-{self._number:05d}.npy", np.asarray(self._document_ends, dtype=np.int64))
        return ShardCounts(self.tokens, len(self._sentence_ends), len(self._document_ends))
