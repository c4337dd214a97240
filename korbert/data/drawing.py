"""Many samples at once: their text out of the shards, where it is split, and the flat arrays that the model takes.

S samples one after another: N text tokens, T = N + 3 S with the special ones, M of them masked. Nothing here loops over
samples or tokens: numpy's calls are few, and a core makes millions of tokens a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from korbert.data.ragged import offsets, ranges
from korbert.data.shards import Shard, Special

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]
U64 = NDArray[np.uint64]

# [CLS] A [SEP] B [SEP]
SPECIAL_TOKENS = 3
# Farther than any token is from its sample's middle.
_FAR = 1 << 40


@dataclass(frozen=True)
class Drawn:
    """S samples as an epoch shows them."""

    tokens: I64
    """Ids as the model sees them (T,)."""
    places: I64
    """From 0 in each sample (T,)."""
    segments: I64
    """0 for [CLS], the first segment and its [SEP], 1 for the rest (T,)."""
    masked: I64
    """Indices into T of the tokens to predict (M,), ascending."""
    labels: I64
    """Their original ids (M,)."""
    swapped: I64
    """1 where the later segment stands first (S,)."""

    @classmethod
    def joined(cls, parts: Sequence[Drawn]) -> Drawn:
        """Lays parts one after another."""
        before = offsets(np.array([len(part.tokens) for part in parts]))
        return cls(
            np.concatenate([part.tokens for part in parts]),
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.segments for part in parts]),
            np.concatenate([part.masked + tokens for part, tokens in zip(parts, before, strict=False)]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.swapped for part in parts]),
        )


def flat(shards: Sequence[Shard], owners: I64, begins: I64, bounds: I64, draws: U64) -> tuple[I64, Flags, I64]:
    """The samples' text.

    Args:
        shards: all shards of the store.
        owners: each sample's shard (S,).
        begins: its first token there (S,).
        bounds: its first token here, and N (S + 1,).
        draws: a random number a sample, which draws its split (S,).

    Returns:
        Token ids (N,); whether a word starts at each, as every sample does (N,); text tokens of the first segment (S,).
    """
    text, starts = np.empty(bounds[-1], dtype=np.int64), np.empty(bounds[-1], dtype=np.bool_)
    sizes, splits = np.diff(bounds), np.empty(len(owners), dtype=np.int64)
    # Where each token of the samples lies in its shard.
    places = ranges(begins, sizes)
    for number in np.unique(owners):
        mine = np.flatnonzero(owners == number)
        here = slice(None) if len(mine) == len(owners) else ranges(bounds[mine], sizes[mine])
        text[here], starts[here] = shards[number].at(places[here])
        splits[mine] = _sentence_split(shards[number], begins[mine], begins[mine] + sizes[mine], draws[mine])
    starts[bounds[:-1]] = True
    lone = np.flatnonzero(splits == 0)
    if lone.size:
        splits[lone] = _word_split(starts[ranges(bounds[lone], sizes[lone])], sizes[lone])
    return text, starts, splits


def morpheme_starts(shards: Sequence[Shard], owners: I64, begins: I64, bounds: I64) -> Flags:
    """Whether a morpheme starts at each text token (N,), as at every sample's first; arguments as of `flat`, of a store
    that holds morpheme starts."""
    starts, sizes = np.empty(bounds[-1], dtype=np.bool_), np.diff(bounds)
    for number in np.unique(owners):
        mine, flags = np.flatnonzero(owners == number), shards[number].morphemes
        assert flags is not None
        starts[ranges(bounds[mine], sizes[mine])] = flags.at(ranges(begins[mine], sizes[mine]))
    starts[bounds[:-1]] = True
    return starts


def _sentence_split(shard: Shard, begins: I64, ends: I64, draws: U64) -> I64:
    """Tokens before the second segment (S,), which begins where a sentence ends, drawn among those inside the sample;
    0 where there is none."""
    first = np.searchsorted(shard.sentence_ends, begins, side="right")
    inner = np.searchsorted(shard.sentence_ends, ends) - first
    chosen = first + (draws % np.maximum(inner, 1).astype(np.uint64)).astype(np.int64)
    split = shard.sentence_ends[np.minimum(chosen, len(shard.sentence_ends) - 1)] - begins
    return np.where(inner > 0, split, 0)


def _word_split(starts: Flags, sizes: I64) -> I64:
    """Tokens before the second segment (S,) of samples without a sentence's end: up to the word start nearest the
    middle, or to the middle of a lone word. A sample of one token has an empty second segment."""
    bounds, middles = offsets(sizes), np.maximum(1, sizes // 2)
    places = ranges(np.zeros_like(sizes), sizes)
    distances = np.abs(places - np.repeat(middles, sizes))
    # By distance; of two equally near ones the first.
    keys = np.where(starts & (places > 0), distances << 16 | places, _FAR)
    best = np.minimum.reduceat(keys, bounds[:-1])
    return np.where(best < _FAR, best & 0xFFFF, middles)


def arrange(text: I64, chosen: Flags, bounds: I64, splits: I64, swapped: I64, special: Special) -> Drawn:
    """[CLS] A [SEP] B [SEP] of every sample; the chosen tokens still stand there.

    Args:
        text: token ids (N,).
        chosen: whether each is to be predicted (N,).
        bounds: first token of each sample, and N (S + 1,).
        splits: text tokens of each sample's first segment in the document's order (S,).
        swapped: 1 where the second one comes first (S,).
        special: ids of the special tokens.
    """
    sizes = np.diff(bounds)
    lengths = sizes + SPECIAL_TOKENS
    borders = offsets(lengths)
    begins, turned = borders[:-1], swapped.astype(np.bool_)
    # Tokens of A: where its [SEP] stands, too.
    leading = np.where(turned, sizes - splits, splits)
    to = np.arange(len(text)) + np.repeat(*_shifts(bounds, begins, sizes, splits, turned))
    tokens, masked = np.empty(borders[-1], dtype=np.int64), np.zeros(borders[-1], dtype=np.bool_)
    tokens[to], masked[to] = text, chosen
    tokens[begins] = special.cls
    tokens[begins + leading + 1] = tokens[borders[1:] - 1] = special.sep
    places = np.arange(borders[-1]) - np.repeat(begins, lengths)
    segments = (places > np.repeat(leading + 1, lengths)).astype(np.int64)
    indices = np.flatnonzero(masked)
    return Drawn(tokens, places, segments, indices, tokens[indices], swapped)


def _shifts(bounds: I64, begins: I64, sizes: I64, splits: I64, turned: Flags) -> tuple[I64, I64]:
    """How far the tokens of both segments of each sample move, and how many there are: (2 S,) each."""
    first = begins - bounds[:-1] + 1 + np.where(turned, sizes - splits + 1, 0)
    second = begins - bounds[:-1] + 1 + np.where(turned, -splits, 1)
    return np.column_stack([first, second]).ravel(), np.column_stack([splits, sizes - splits]).ravel()
