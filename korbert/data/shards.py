"""The encoded corpus on disk: memory-mapped token shards with sentence ends, document ends and word starts.

A tokens artefact holds, a shard N:
    tokens-N.bin     uint16 or uint32, little endian: the token ids of all sentences, no special tokens
    starts-N.bin     one bit a token (numpy's little bit order), 1 where a word (eojeol) starts
    sentences-N.npy  int64 (sentences,): cumulative tokens at each sentence's end, within the shard
    documents-N.npy  int64 (documents,): cumulative sentences at each document's end, within the shard
    morphemes-N.bin  as starts-N.bin, 1 where a morpheme starts; only where data.mask_unit = morpheme: the index says
and `index.json` with the vocabulary's size, its special ids, the type of a token id, the shards' counts and the unigram
entropy in nats. Documents are those of the corpus in its order: one without a token has no sentence, and keeps its
place. `held_out/` is a store of its own with the documents that training never sees; it is absent where there are none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from korbert.data.bits import Bits
from korbert.errors import UsageError
from korbert.storage import damage, read_json, read_manifest

INDEX = "index.json"
HELD_OUT = "held_out"

Ids = NDArray[np.unsignedinteger[Any]]
TokenType = np.dtype[np.unsignedinteger[Any]]


def token_dtype(vocab_size: int) -> TokenType:
    """The type of a token id on disk: 16 bits for up to 65,536 entries, 32 beyond."""
    return np.dtype("<u2" if vocab_size <= 1 << 16 else "<u4")


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


def _no_flags() -> NDArray[np.bool_]:
    return np.zeros(0, np.bool_)


@dataclass(frozen=True)
class Sentence:
    """One encoded sentence: token ids (n,) and, for each, whether a word starts there (n,)."""

    tokens: Ids
    starts: NDArray[np.bool_]
    morphemes: NDArray[np.bool_] = field(default_factory=_no_flags)
    """Whether a morpheme starts there (n,); empty where nobody has looked."""


@dataclass(frozen=True)
class EncodedBatch:
    """D encoded documents of S sentences of T tokens, laid one after another."""

    tokens: Ids
    """(T,)"""
    starts: NDArray[np.bool_]
    """Whether a word starts at each token (T,)."""
    sentences: NDArray[np.int64]
    """Tokens of each sentence (S,), none of them 0."""
    documents: NDArray[np.int64]
    """Sentences of each document (D,); 0 where it has no token."""
    morphemes: NDArray[np.bool_] = field(default_factory=_no_flags)
    """Whether a morpheme starts at each token (T,), as at each word start; empty where nobody has looked."""

    @classmethod
    def of(cls, documents: Iterable[list[Sentence]]) -> EncodedBatch:
        """Lays documents together."""
        texts = list(documents)
        parts = [sentence for document in texts for sentence in document]
        return cls(
            np.concatenate([np.zeros(0, np.uint16), *(part.tokens for part in parts)]),
            np.concatenate([np.zeros(0, np.bool_), *(part.starts for part in parts)]),
            np.array([len(part.tokens) for part in parts], dtype=np.int64),
            np.array([len(document) for document in texts], dtype=np.int64),
            np.concatenate([_no_flags(), *(part.morphemes for part in parts)]),
        )

    def document_tokens(self) -> NDArray[np.int64]:
        """Cumulative tokens at each document's end (D,)."""
        ends: NDArray[np.int64] = np.concatenate([[0], np.cumsum(self.sentences)])[np.cumsum(self.documents)]
        return ends

    def parted(self, count: int) -> tuple[EncodedBatch, EncodedBatch]:
        """The first `count` documents, and the others."""
        sentences = int(self.documents[:count].sum())
        tokens = int(self.sentences[:sentences].sum())
        first = EncodedBatch(
            self.tokens[:tokens], self.starts[:tokens], self.sentences[:sentences], self.documents[:count],
            self.morphemes[:tokens],
        )  # fmt: skip
        return first, EncodedBatch(
            self.tokens[tokens:], self.starts[tokens:], self.sentences[sentences:], self.documents[count:],
            self.morphemes[tokens:],
        )  # fmt: skip


def shard_files(number: int) -> tuple[str, str, str, str]:
    """Names of a shard's files: token ids, word starts, sentence ends, document ends."""
    return (
        f"tokens-{number:05d}.bin", f"starts-{number:05d}.bin",
        f"sentences-{number:05d}.npy", f"documents-{number:05d}.npy",
    )  # fmt: skip


def morphemes_file(number: int) -> str:
    """Name of the file with a shard's morpheme starts."""
    return f"morphemes-{number:05d}.bin"


class Shard:
    """One shard's arrays, memory-mapped."""

    def __init__(self, folder: Path, number: int, dtype: TokenType, morphemes: bool = False) -> None:
        tokens, starts, sentences, documents = (folder / name for name in shard_files(number))
        self.sentence_ends: NDArray[np.int64] = np.asarray(np.load(sentences, mmap_mode="r"))
        self.document_ends: NDArray[np.int64] = np.asarray(np.load(documents, mmap_mode="r"))
        self._tokens = mapped(tokens, dtype)
        self._starts = Bits(mapped(starts, np.dtype(np.uint8)))
        self.morphemes = Bits(mapped(folder / morphemes_file(number), np.dtype(np.uint8))) if morphemes else None
        """Whether a morpheme starts at each token; None where nobody has looked."""

    @property
    def words(self) -> int:
        """Word starts in the shard."""
        return self._starts.set

    def tokens(self, begin: int, end: int) -> Ids:
        """Token ids [begin, end) of the shard."""
        return np.asarray(self._tokens[begin:end])

    def starts(self, begin: int, end: int) -> NDArray[np.bool_]:
        """Word-start flags of tokens [begin, end)."""
        return self._starts.between(begin, end)

    def at(self, places: NDArray[np.int64]) -> tuple[Ids, NDArray[np.bool_]]:
        """Token ids at any places of the shard (n,), and whether a word starts at each (n,)."""
        return np.asarray(self._tokens[places]), self._starts.at(places)

    def holds(self, counts: ShardCounts) -> bool:
        """Whether every array is as long as `counts` says."""
        held = ShardCounts(len(self._tokens), len(self.sentence_ends), len(self.document_ends))
        flags = [self._starts, *([self.morphemes] if self.morphemes else [])]
        return held == counts and all(bits.holds(counts.tokens) for bits in flags)


def mapped(path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A file as a memory-mapped array. An empty one (a last shard of empty documents) cannot be mapped."""
    # As a plain array: numpy's own class for mapped ones costs a microsecond at each use.
    return np.asarray(np.memmap(path, dtype=dtype, mode="r")) if path.stat().st_size else np.zeros(0, dtype)


def open_shard(folder: Path, number: int, counts: ShardCounts, dtype: TokenType, *, morphemes: bool = False) -> Shard:
    """A shard that holds `counts`, with morpheme starts or without.

    Raises:
        UsageError: when a file of it is missing or shorter or longer than that.
    """
    try:
        shard = Shard(folder, number, dtype, morphemes)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{folder} shard {number}: {error}; run: korbert run --from tokens") from error
    if not shard.holds(counts):
        raise UsageError(
            f"{folder} shard {number}: holds more or less than its index says, {counts}; run: korbert run --from tokens"
        )
    return shard


class TokenStore:
    """A whole tokens artefact, opened for reading."""

    def __init__(self, folder: Path) -> None:
        """Opens the shards of `folder`.

        Raises:
            UsageError: when the folder is no tokens artefact, or a file is shorter than its index says.
        """
        index = read_json(folder / INDEX)
        self.vocab_size: int = index["vocab_size"]
        dtype = np.dtype(index.get("dtype", "uint16"))
        self.special = Special(**index["special"])
        self.unigram_entropy: float = index["unigram_entropy"]
        """Entropy of the token distribution in nats: the loss of a model that knows frequencies only."""
        self.counts = [ShardCounts(**counts) for counts in index["shards"]]
        self.has_morphemes: bool = index.get("morphemes", False)
        """Whether morpheme starts are stored."""
        self.shards = [
            open_shard(folder, number, held, dtype, morphemes=self.has_morphemes)
            for number, held in enumerate(self.counts)
        ]

    @property
    def tokens(self) -> int:
        """Tokens in all shards."""
        return sum(counts.tokens for counts in self.counts)

    @property
    def words(self) -> int:
        """Word starts in all shards."""
        return sum(shard.words for shard in self.shards)

    @property
    def morphemes(self) -> int:
        """Morpheme starts in all shards; 0 where none are stored."""
        return sum(shard.morphemes.set for shard in self.shards if shard.morphemes)


def verify(folder: Path) -> None:
    """Compares every byte of a tokens artefact with its manifest's checksums: some seconds for 10 GB.

    Raises:
        UsageError: naming the file that differs.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise UsageError(f"{folder}: stage tokens has not finished; run: korbert run --to tokens")
    if fault := damage(folder, manifest, checksums=True):
        raise UsageError(f"{folder}: {fault} than when it was written; run: korbert run --from tokens")
