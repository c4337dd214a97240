"""Which tokens of samples the model must predict, and what it sees in their place.

Whole-word masking goes by the word starts stored with the tokens (eojeol for Korean): rules that look at characters
take every Korean piece for a word of its own. Stretches of words (n-grams) are masked together where asked for.

S samples lie one after another, N text tokens in all, special ones apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from korbert.config import DataConfig
from korbert.data.draws import SPAN, WORD, Draws, shares
from korbert.data.ragged import ranges
from korbert.data.shards import Special

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]
U64 = NDArray[np.uint64]
Rate = float | NDArray[np.float64]

# A key sorts words by sample, then by 32 random bits, then by place: no two are equal. 13 bits hold any place in a
# sample of at most 8,192 tokens, which leaves 19 for the sample.
_PLACE_BITS, _RANDOM_BITS = 13, 32
MOST_SAMPLES = 1 << (64 - _PLACE_BITS - _RANDOM_BITS)
"""Samples that `choose` takes at once."""


@dataclass(frozen=True)
class MaskRate:
    """The share of tokens predicted, over the steps of a training."""

    start: float
    end: float
    """What the last step has; equal to `start`: the rate is constant."""
    steps: int
    """Steps of the whole training."""

    @classmethod
    def of(cls, config: DataConfig, steps: int) -> MaskRate:
        """By the config's fields."""
        return cls(config.mask_rate, config.mask_rate_end or config.mask_rate, steps)

    def at(self, step: int) -> float:
        """The rate of a step, counted from 0: a straight line, and a function of the step's number alone."""
        if self.start == self.end or self.steps < 2:
            return self.start
        return self.start + (self.end - self.start) * min(1.0, step / (self.steps - 1))


def masked_count(tokens: I64, rate: Rate) -> I64:
    """Tokens predicted in samples of so many text tokens (S,): the rounded share, at least one, known before any
    draw; `rate` is that of all samples or of each (S,)."""
    rounded: I64 = np.rint(tokens * rate).astype(np.int64)
    return np.minimum(np.maximum(rounded, 1), tokens)


def join_words(starts: Flags, bounds: I64, breaks: I64, longest: int, draws: Draws) -> Flags:
    """Joins neighbouring words to stretches of 1 to `longest` words, k of them with a probability proportional to 1/k.

    The law is ALBERT's for its n-grams (Lan et al. 2020, section 4.1; it has `longest` 3): short ones are likelier.

    Args:
        starts: whether a word starts at each text token (N,), true where a sample begins.
        bounds: first token of each sample, and N (S + 1,).
        breaks: token that no stretch reaches over, one a sample (S,); a word starts there.
        longest: most words of a stretch.
        draws: the samples' random numbers.

    Returns:
        Whether a stretch starts at each token (N,).
    """
    begins = np.flatnonzero(starts)
    first = np.searchsorted(begins, bounds)
    words = np.diff(first)
    places = np.arange(len(begins)) - np.repeat(first[:-1], words)
    weights = 1 / np.arange(1, longest + 1)
    # The number at place j decides the length of the sample's stretch j; those past the sample's end fall out.
    chance = shares(draws.at(SPAN, words, places))
    lengths = 1 + np.searchsorted(np.cumsum(weights)[:-1] / weights.sum(), chance, side="right")
    ends = np.cumsum(lengths)
    ends -= np.repeat(ends[first[:-1]] - lengths[first[:-1]] - first[:-1], words)
    joined = np.zeros(len(starts), dtype=np.bool_)
    joined[begins[ends[ends < np.repeat(first[1:], words)]]] = True
    joined[bounds[:-1]] = joined[breaks] = True
    return joined


def choose(starts: Flags, bounds: I64, counts: I64, draws: Draws) -> Flags:
    """Chooses exactly `counts` tokens of each sample by whole words, in random order of the words.

    A word with more tokens than are still wanted is passed over. Where only such words are left, the first of them
    gives as many leading tokens as are wanted: an exact count keeps shapes and the loss's divisor known beforehand.

    Args:
        starts: whether a word starts at each text token (N,), true where a sample begins.
        bounds: first token of each sample, and N (S + 1,); none is empty.
        counts: tokens wanted of each sample (S,), at least 1 and at most what it has.
        draws: the samples' random numbers.

    Returns:
        Whether each token is chosen (N,).
    """
    begins = np.flatnonzero(starts)
    sizes = np.diff(begins, append=len(starts))
    first = np.searchsorted(begins, bounds)
    words = np.diff(first)
    first = first[:-1]
    order = _shuffled(first, words, draws)
    ordered = sizes[order]
    # Tokens of the sample's words up to each one, in their random order.
    taken = np.cumsum(ordered) - np.repeat(bounds[:-1], words)
    fits = taken <= np.repeat(counts, words)
    fitting = np.add.reduceat(fits, first, dtype=np.int64)
    left = counts - np.where(fitting > 0, taken[first + np.maximum(fitting, 1) - 1], 0)
    chosen = np.zeros(len(begins), dtype=np.bool_)
    chosen[order[fits]] = True
    _fill_up(chosen, order, ordered, first + fitting, words, left)
    tokens: Flags = np.repeat(chosen, sizes)
    short = np.flatnonzero(left)
    tokens[ranges(begins[order[(first + fitting)[short]]], left[short])] = True
    return tokens


def _shuffled(first: I64, words: I64, draws: Draws) -> I64:
    """The words' numbers, those of each sample in its random order (W,)."""
    places = np.arange(int(words.sum())) - np.repeat(first, words)
    keys = draws.at(WORD, words, places) >> np.uint64(64 - _RANDOM_BITS)
    keys <<= np.uint64(_PLACE_BITS)
    keys |= places.astype(np.uint64)
    keys |= np.repeat(np.arange(len(words), dtype=np.uint64) << np.uint64(_PLACE_BITS + _RANDOM_BITS), words)
    keys.sort()
    return (keys & np.uint64((1 << _PLACE_BITS) - 1)).astype(np.int64) + np.repeat(first, words)


def _fill_up(chosen: Flags, order: I64, ordered: I64, passed: I64, words: I64, left: I64) -> None:
    """Takes the words behind the first passed one that still fit, in their order; `chosen` and `left` are updated.

    One round takes a word of every sample that has one; as a word takes a token at least, few rounds are needed.
    """
    owners = np.flatnonzero(left)
    ends = np.cumsum(words)[owners]
    behind = np.maximum(0, ends - passed[owners] - 1)
    candidates, owner = ranges(passed[owners] + 1, behind), np.repeat(owners, behind)
    while candidates.size:
        fit = ordered[candidates] <= left[owner]
        candidates, owner = candidates[fit], owner[fit]
        leading = np.diff(owner, prepend=-1) != 0
        chosen[order[candidates[leading]]] = True
        left[owner[leading]] -= ordered[candidates[leading]]
        candidates, owner = candidates[~leading], owner[~leading]


@dataclass(frozen=True)
class Corruption:
    """What stands in the place of chosen tokens: the mask, a random ordinary token, or the token itself."""

    keep_rate: float
    random_rate: float
    mask: int
    ordinary: NDArray[np.int64]
    """Ids that a random token is drawn from: all but the special ones."""

    @classmethod
    def of(cls, config: DataConfig, vocab_size: int, special: Special) -> Corruption:
        """By the config's rates, for a vocabulary with these special ids."""
        ids = [special.pad, special.unk, special.cls, special.sep, special.mask]
        return cls(
            config.keep_rate, config.random_rate, special.mask, np.setdiff1d(np.arange(vocab_size, dtype=np.int64), ids)
        )

    def apply(self, originals: I64, fates: U64, draws: U64) -> I64:
        """Original ids (k,), two random numbers each (k,) -> the ids that the model sees (k,)."""
        fate = shares(fates)
        random = self.ordinary[draws % np.uint64(len(self.ordinary))]
        seen = np.where(fate < self.keep_rate + self.random_rate, random, self.mask)
        return np.where(fate < self.keep_rate, originals, seen)
