"""Which tokens start a morpheme: the second bit of each token, for masks that take morphemes as their units.

Each distinct eojeol is looked at once, alone: where the tokenizer cuts texts into morphemes itself, by the separators
that stand in it; else by an analyser, to which the neighbours might have meant another reading. A morpheme that starts
inside a token counts for the next token; one that no token of its eojeol follows is part of the token it starts in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from korbert.data.bits import Flags
from korbert.tokenizer.analysers import morpheme_starts

ANALYSER = "mecab"
"""Cuts the eojeols of tokenizers that run no analyser themselves: ten times as fast as Kiwi."""
ID, STARTS = "id", "morpheme"


def marked_type(ids: np.dtype[Any]) -> np.dtype[Any]:
    """A token's id and whether a morpheme starts there."""
    return np.dtype([(ID, ids), (STARTS, np.bool_)])


class MorphemeMarker:
    """Encodes eojeols, each a text of its own, and marks the tokens that start a morpheme."""

    def __init__(self, tokenizer: Tokenizer, dtype: np.dtype[Any], analyser: str = ANALYSER) -> None:
        """`analyser` is empty where separators stand between the morphemes of the eojeols that come."""
        self._tokenizer, self._analyser, self._dtype = Tokenizer.from_str(tokenizer.to_str()), analyser, dtype
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True

    def __call__(self, words: Sequence[str]) -> list[bytes]:
        """The marked tokens of each word, as bytes of `dtype`.

        Raises:
            UsageError: when the analyser is not installed.
        """
        encodings = self._tokenizer.encode_batch(list(words), add_special_tokens=False)
        return [
            self._marked(encoding.ids, encoding.offsets, morpheme_starts(word, self._analyser))
            for word, encoding in zip(words, encodings, strict=True)
        ]

    def _marked(self, ids: list[int], offsets: list[tuple[int, int]], starts: list[int]) -> bytes:
        marked = np.empty(len(ids), self._dtype)
        marked[ID] = ids
        marked[STARTS] = first_tokens(np.array([begin for begin, _ in offsets], np.int64), np.array(starts, np.int64))
        return marked.tobytes()


def first_tokens(begins: NDArray[np.int64], starts: NDArray[np.int64]) -> Flags:
    """Which tokens of an eojeol are the first of a morpheme (n,): the eojeol's own first, and each before which or
    inside whose forerunner a morpheme starts.

    Args:
        begins: first code point of each token (n,).
        starts: code points at which morphemes start, ascending.
    """
    begins = np.maximum.accumulate(begins)
    passed = np.searchsorted(starts, begins, side="right")
    first: Flags = np.diff(passed, prepend=-1) > 0
    first[:1] = True
    return first
