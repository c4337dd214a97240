"""Steps' samples in rows, the rows on ranks and in micro-batches: indices alone, of many steps at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from korbert.data.packing import pack, row_order
from korbert.data.partition import micro_batches, share
from korbert.data.ragged import offsets, ranges

I64 = NDArray[np.int64]


class Deal(NamedTuple):
    """What one rank has of some steps: S samples in B micro-batches."""

    samples: I64
    """Indices of its samples in the order of its rows, step by step (S,)."""
    parts: I64
    """Micro-batches of each step, as many on every rank (steps,)."""
    bounds: I64
    """First of `samples` in each micro-batch, and S (B + 1,); equal bounds: it holds none."""


def deal(lengths: I64, sizes: I64, row_tokens: int, rows_per_micro_batch: int, rank: int, world: int) -> Deal:
    """Deals steps of `sizes` samples (steps,), none of them 0, with `lengths` tokens each (sizes.sum(),)."""
    steps = np.repeat(np.arange(len(sizes)), sizes)
    row_of = pack(lengths, row_tokens, steps)
    order, held = row_order(row_of, lengths), np.bincount(row_of)
    begins = offsets(held)[:-1]
    step_of = steps[order[begins]]
    mine = share(np.add.reduceat(lengths[order], begins), rank, world, step_of)
    rows = np.bincount(step_of, minlength=len(sizes)), np.bincount(step_of[mine], minlength=len(sizes))
    parts, counts = micro_batches(rows[1], rows[0], world, rows_per_micro_batch)
    bounds = offsets(held[mine])[offsets(counts)]
    return Deal(order[ranges(begins[mine], held[mine])], parts, bounds)
