"""Samples: stretches of documents, cut once; their split, order and masks are drawn anew each epoch.

A sample is a pure function of (seed, epoch, sample id): any process can make any sample at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from korbert.config import DataConfig
from korbert.data.masking import Corruption, choose, masked_count
from korbert.data.order import fold, mix64
from korbert.data.shards import Shard, TokenStore
from korbert.errors import UsageError

I64 = NDArray[np.int64]

# [CLS] A [SEP] B [SEP]
SPECIAL_TOKENS = 3
# Shortest target of a document chosen for short samples, as a share of the budget.
_SHORTEST = 1 / 8


@dataclass(frozen=True)
class Sample:
    """One training example of n tokens, k of them masked."""

    tokens: I64
    """Ids as the model sees them (n,)."""
    segments: I64
    """0 for [CLS], the first segment and its [SEP], 1 for the rest (n,)."""
    masked: I64
    """Indices of the tokens to predict (k,), ascending."""
    labels: I64
    """Their original ids (k,)."""
    swapped: int
    """1 when the later segment stands first."""


class Samples:
    """All samples of a token store. Every token of the store lies in exactly one."""

    def __init__(self, store: TokenStore, config: DataConfig, seed: int) -> None:
        """Cuts the store's documents.

        Raises:
            UsageError: when the store holds no token.
        """
        self._store, self._config, self._seed = store, config, seed
        self._corruption = Corruption.of(config, store.vocab_size, store.special)
        budget, document, bounds = config.max_tokens - SPECIAL_TOKENS, 0, []
        for shard in store.shards:
            targets = _targets(np.arange(len(shard.document_ends)) + document, budget, config.short_probability, seed)
            bounds.append(cut(np.asarray(shard.sentence_ends), np.asarray(shard.document_ends), targets, budget, shard))
            document += len(shard.document_ends)
        if sum(len(b) - 1 for b in bounds) <= 0:
            raise UsageError("tokens: the encoded corpus holds no token; crawl more articles or relax corpus.*")
        self.shards: I64 = np.repeat(np.arange(len(bounds)), [len(b) - 1 for b in bounds])
        """Shard of each sample (samples,)."""
        self.begins: I64 = np.concatenate([b[:-1] for b in bounds])
        """First token of each sample within its shard (samples,)."""
        self.ends: I64 = np.concatenate([b[1:] for b in bounds])
        """One past the last token of each sample within its shard (samples,)."""
        self.lengths: I64 = self.ends - self.begins + SPECIAL_TOKENS
        """Tokens of each sample, special ones included (samples,)."""
        self.masked_counts: I64 = masked_count(self.ends - self.begins, config.mask_rate)
        """Tokens predicted in each sample, the same in every epoch (samples,)."""

    def __len__(self) -> int:
        return len(self.lengths)

    def draw(self, epoch: int, sample: int) -> Sample:
        """The sample as this epoch shows it.

        Only Philox's raw words are used: numpy keeps those over its versions, not the methods of Generator (NEP 19).
        """
        shard = self._store.shards[self.shards[sample]]
        begin, end = int(self.begins[sample]), int(self.ends[sample])
        n, k = end - begin, int(self.masked_counts[sample])
        generator = np.random.Philox(
            key=np.array([self._seed, epoch], dtype=np.uint64), counter=np.array([0, 0, 0, sample], dtype=np.uint64)
        )
        raw: NDArray[np.uint64] = generator.random_raw(2 + n + 2 * k)
        split = split_point(shard, begin, end, int(raw[0])) - begin
        swapped = int(raw[1] >> np.uint64(63))
        text, starts = shard.tokens(begin, end).astype(np.int64), shard.starts(begin, end).copy()
        starts[[0, split % n]] = True
        if swapped:
            text, starts, split = np.roll(text, -split), np.roll(starts, -split), n - split
        if not self._config.whole_words:
            starts[:] = True
        chosen = choose(starts, k, raw[2 : 2 + n])
        labels = text[chosen]
        text[chosen] = self._corruption.apply(labels, raw[2 + n : 2 + n + k], raw[2 + n + k :])
        return self._assemble(text, split, chosen, labels, swapped)

    def _assemble(self, text: I64, split: int, chosen: I64, labels: I64, swapped: int) -> Sample:
        special = self._store.special
        tokens = np.empty(len(text) + SPECIAL_TOKENS, dtype=np.int64)
        tokens[0], tokens[split + 1], tokens[-1] = special.cls, special.sep, special.sep
        tokens[1 : split + 1], tokens[split + 2 : -1] = text[:split], text[split:]
        segments = np.zeros(len(tokens), dtype=np.int64)
        segments[split + 2 :] = 1
        return Sample(tokens, segments, chosen + 1 + (chosen >= split), labels, swapped)


def _targets(documents: I64, budget: int, short_probability: float, seed: int) -> I64:
    """Text tokens a sample that each document (by global number) aims at; a hash decides which aim short."""
    hashes = mix64(fold(seed) ^ documents.astype(np.uint64))
    share = (hashes >> np.uint64(11)) * 2.0**-53
    shortest = max(2, int(budget * _SHORTEST))
    lengths = shortest + (mix64(hashes) % np.uint64(budget - shortest + 1)).astype(np.int64)
    return np.where(share < short_probability, lengths, budget)


def cut(sentence_ends: I64, document_ends: I64, targets: I64, budget: int, shard: Shard) -> I64:
    """Bounds of a shard's samples in tokens (samples + 1,), ascending from 0 to the shard's tokens.

    Sentences are taken greedily up to the document's target, a second one even beyond it while it fits the budget
    (sentence order wants two). A sentence longer than the budget is cut at word starts. A document's last sample of
    one sentence takes the last of the sample before, where that keeps two.
    """
    ends, documents = _pieces(sentence_ends, document_ends, budget, shard)
    if ends.size == 0:
        return np.zeros(1, dtype=np.int64)
    begins = np.concatenate([[0], ends[:-1]])
    piece = np.arange(len(ends))
    last = np.searchsorted(documents, documents, side="right")  # one past the document's last piece
    following = np.searchsorted(ends, begins + targets[documents], side="right")
    pair_ends = np.append(ends[1:], np.iinfo(np.int64).max)
    following = np.maximum(following, np.where(pair_ends - begins <= budget, piece + 2, piece + 1))
    following = np.minimum(following, last)
    firsts = _walk(np.flatnonzero(np.diff(documents, prepend=-1)), following, last)
    _borrow(firsts, begins, ends, documents, budget)
    return np.append(begins[firsts], ends[-1])


def _pieces(sentence_ends: I64, document_ends: I64, budget: int, shard: Shard) -> tuple[I64, I64]:
    """Ends and documents of the pieces: sentences, those over the budget cut; empty ones dropped."""
    sizes = np.diff(sentence_ends, prepend=0)
    documents = np.repeat(np.arange(len(document_ends)), np.diff(document_ends, prepend=0))
    cuts: list[int] = []
    owners: list[int] = []
    for sentence in np.flatnonzero(sizes > budget):
        inner = _hard_cuts(int(sentence_ends[sentence] - sizes[sentence]), int(sentence_ends[sentence]), budget, shard)
        cuts += inner
        owners += [int(documents[sentence])] * len(inner)
    kept = sizes > 0
    ends = np.concatenate([sentence_ends[kept], np.asarray(cuts, dtype=np.int64)])
    order = np.argsort(ends, kind="stable")
    return ends[order], np.concatenate([documents[kept], np.asarray(owners, dtype=np.int64)])[order]


def _hard_cuts(begin: int, end: int, budget: int, shard: Shard) -> list[int]:
    """Where to cut one long sentence: at the last word start within the budget, inside a word only where none is."""
    cuts: list[int] = []
    while end - begin > budget:
        words = np.flatnonzero(shard.starts(begin + 1, begin + budget + 1))
        begin += int(words[-1]) + 1 if words.size else budget
        cuts.append(begin)
    return cuts


def _walk(firsts: I64, following: I64, last: I64) -> I64:
    """First pieces of all samples: from every document's first piece at once, sample by sample."""
    found, here = [firsts], firsts
    while here.size:
        after = following[here]
        here = after[after < last[here]]
        found.append(here)
    return np.sort(np.concatenate(found))


def _borrow(firsts: I64, begins: I64, ends: I64, documents: I64, budget: int) -> None:
    pieces = np.diff(firsts, append=len(ends))
    owner = documents[firsts]
    is_last = np.diff(owner, append=-1) != 0
    same = np.diff(owner, prepend=-1) == 0
    before = np.concatenate([[0], pieces[:-1]])
    fits = ends[firsts] - begins[np.maximum(firsts - 1, 0)] <= budget
    firsts[is_last & same & (pieces == 1) & (before >= 3) & fits] -= 1


def split_point(shard: Shard, begin: int, end: int, draw: int) -> int:
    """Where the second segment starts: at a sentence's end where there is one inside, drawn among them.

    Otherwise at the word start nearest the middle, or the middle of a lone word. A sample of one token has an empty
    second segment.
    """
    inner = shard.sentence_ends[
        np.searchsorted(shard.sentence_ends, begin, side="right") : np.searchsorted(shard.sentence_ends, end)
    ]
    if inner.size:
        return int(inner[draw % inner.size])
    words = np.flatnonzero(shard.starts(begin, end)[1:]) + 1
    middle = max(1, (end - begin) // 2)
    return begin + (int(words[np.argmin(np.abs(words - middle))]) if words.size else middle)
