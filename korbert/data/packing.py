"""Packing: the samples of a step share rows of bounded length, so that work is even and nothing is padded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


def pack(lengths: I64, row_tokens: int, steps: I64 | None = None) -> I64:
    """Best-fit decreasing: the row of each sample (samples,), longest samples first; rows count from 0.

    Each sample goes to the row whose room it leaves the least of, among equal ones to that which came to its room last.
    Pure: equal lengths keep the order of the step, and no number of workers comes in. As first-fit decreasing it needs
    at most 11/9 of the fewest rows, and 4 (Johnson 1974); samples are cut to the row's length, so real waste is a few
    percent. The rooms that rows have are the bits of one number, so a row is found in the same time among any number
    of rows: every worker packs the whole step.

    Args:
        lengths: tokens of each sample (samples,).
        row_tokens: tokens of a row at most.
        steps: the step of each sample, ascending (samples,); a row holds samples of one. None: all are of one.
    """
    assert lengths.size == 0 or lengths.max() <= row_tokens
    step = np.zeros_like(lengths) if steps is None else steps
    order = np.argsort(step * (row_tokens + 1) - lengths, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(step)) + 1, len(step)).tolist()
    found: list[int] = []
    sizes, rows, begin = lengths[order].tolist(), 0, 0
    for end in ends:
        rows = _fill(sizes[begin:end], row_tokens, rows, found)
        begin = end
    row_of = np.empty(len(lengths), dtype=np.int64)
    row_of[order] = found
    return row_of


def _fill(lengths: list[int], row_tokens: int, rows: int, found: list[int]) -> int:
    """Appends the row of each length, the first new one being `rows`; answers the number after the last."""
    having: dict[int, list[int]] = {}  # the rows with so much room
    rooms = 0  # bit r: there are rows with room r
    for length in lengths:
        if fitting := rooms >> length:
            room = length + (fitting & -fitting).bit_length() - 1
            row = having[room].pop()
            if not having[room]:
                rooms ^= 1 << room
        else:
            room, row, rows = row_tokens, rows, rows + 1
        found.append(row)
        having.setdefault(room - length, []).append(row)
        rooms |= 1 << (room - length)
    return rows


def row_order(row_of: I64, lengths: I64) -> I64:
    """The samples row by row, in each as `pack` has put them there: the rows of samples (samples,) -> (samples,)."""
    return np.lexsort((-lengths, row_of))
