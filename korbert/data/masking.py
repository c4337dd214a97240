"""Which tokens of a sample the model must predict, and what it sees in their place.

Whole-word masking goes by the word starts stored with the tokens (eojeol for Korean): rules that look at characters
take every Korean piece for a word of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from korbert.config import DataConfig
from korbert.data.shards import Special

U64 = NDArray[np.uint64]


def masked_count(tokens: NDArray[np.int64], rate: float) -> NDArray[np.int64]:
    """Tokens predicted in samples of so many text tokens: the rounded share, at least one, known before any draw."""
    rounded: NDArray[np.int64] = np.rint(tokens * rate).astype(np.int64)
    return np.minimum(np.maximum(rounded, 1), tokens)


def choose(starts: NDArray[np.bool_], count: int, priorities: U64) -> NDArray[np.int64]:
    """Chooses exactly `count` tokens by whole words, in random order of the words.

    A word with more tokens than are still wanted is passed over. Where only such words are left, the first of them
    gives as many leading tokens as are wanted: an exact count keeps shapes and the loss's divisor known beforehand.

    Args:
        starts: whether a word starts at each of the n text tokens (n,); the first token starts one in any case.
        count: tokens wanted, at most n.
        priorities: random numbers (n,); a word's place in the order is by that of its number.

    Returns:
        Indices of the chosen tokens (count,), ascending.
    """
    begins = np.flatnonzero(starts)
    if begins.size == 0 or begins[0] != 0:
        begins = np.concatenate([[0], begins])
    sizes = np.diff(begins, append=len(starts))
    order = np.argsort(priorities[: len(begins)], kind="stable")
    taken = np.cumsum(sizes[order])
    fitting = int(np.searchsorted(taken, count, side="right"))
    words, left = list(order[:fitting]), count - (int(taken[fitting - 1]) if fitting else 0)
    chosen = np.zeros(len(starts), dtype=np.bool_)
    for word in order[fitting + 1 :]:
        if left == 0:
            break
        if sizes[word] <= left:
            words.append(word)
            left -= int(sizes[word])
    for word in words:
        chosen[begins[word] : begins[word] + sizes[word]] = True
    if left:
        begin = begins[order[fitting]]
        chosen[begin : begin + left] = True
    return np.flatnonzero(chosen)


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

    def apply(self, originals: NDArray[np.int64], fates: U64, draws: U64) -> NDArray[np.int64]:
        """Original ids (k,), two random numbers each (k,) -> the ids that the model sees (k,)."""
        fate = (fates >> np.uint64(11)) * 2.0**-53  # uniform in [0, 1)
        random = self.ordinary[draws % np.uint64(len(self.ordinary))]
        seen = np.where(fate < self.keep_rate + self.random_rate, random, self.mask)
        return np.where(fate < self.keep_rate, originals, seen)
