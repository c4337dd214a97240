"""A question and a window of its context in one row, and which tokens of the context are an answer: pure functions.

q tokens of a question, c tokens of a context, w windows. A row is [CLS] question [SEP] window [SEP], or what the
tokenizer makes of two texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUESTION_TOKENS = 64
"""Longer questions are cut (KoELECTRA, KLUE: 64)."""

Places = NDArray[np.int32]
"""(c, 2) first character of each token of a context, and one past its last."""


@dataclass(frozen=True)
class Frame:
    """The special tokens around and between two texts."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def size(self) -> int:
        """Tokens that it takes of a row."""
        return len(self.before) + len(self.between) + len(self.after)


@dataclass(frozen=True)
class Limits:
    """How a context is cut into windows, and what an answer may be."""

    stride: int = 128
    """Tokens from one window's begin to the next."""
    answer_tokens: int = 30
    """Tokens of an answer at most."""


def question_room(max_tokens: int, frame: Frame) -> int:
    """Tokens of a question at most; half a short row is kept for the context."""
    return min(QUESTION_TOKENS, (max_tokens - frame.size) // 2)


def window_begins(tokens: int, room: int, stride: int) -> list[int]:
    """The context's token with which each window begins: every token is in a window, every window but the last is full.

    Args:
        tokens: c.
        room: Tokens of the context that a window holds.
        stride: Tokens from one window's begin to the next; `room` where that is less, so that no token is passed over.
    """
    step = min(stride, room)
    return list(range(0, max(tokens - room, 0) + step, step)) if tokens > room else [0]


def answer_tokens(places: Places, begin: int, end: int) -> tuple[int, int] | None:
    """The first and the last token that hold a character of context[begin:end]; None if no token does."""
    touching = np.flatnonzero((places[:, 0] < end) & (places[:, 1] > begin))
    return (int(touching[0]), int(touching[-1])) if len(touching) else None


def in_window(tokens: tuple[int, int] | None, first: int, count: int, offset: int, cls: int) -> tuple[int, int]:
    """Where an answer's first and last token are in the row of a window; twice `cls` if it does not hold them both.

    Args:
        tokens: The answer's tokens in the context, if it has any.
        first: The context's token with which the window begins.
        count: Tokens of the context in the window.
        offset: The row's token with which the window begins.
        cls: Place of the token that stands for "not here".
    """
    if tokens is None or tokens[0] < first or tokens[1] >= first + count:
        return cls, cls
    return tokens[0] - first + offset, tokens[1] - first + offset


def without_blanks(context: str, places: Places) -> Places:
    """The places without the white space at their ends, which byte-level tokenizers count to a token."""
    trimmed = places.copy()
    for number, (begin, end) in enumerate(places.tolist()):
        text = context[begin:end]
        if text != text.strip():
            trimmed[number] = (begin + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip()))
            if trimmed[number, 0] > trimmed[number, 1]:  # nothing but white space
                trimmed[number] = (end, end)
    return trimmed
