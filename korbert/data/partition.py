"""Which worker computes which rows of a step: integer arithmetic on row sizes, rank and world size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from korbert.data.ragged import ranges

I64 = NDArray[np.int64]


def share(row_tokens: I64, rank: int, world: int, steps: I64 | None = None) -> I64:
    """The rows of `rank`: all rows of a step by falling size, dealt to the ranks to and fro (0 1 2 2 1 0 0 1 ...).

    Counts differ by at most one row between ranks, tokens by at most the largest row.

    Args:
        row_tokens: tokens of each row (rows,).
        rank: 0 to world - 1.
        world: number of workers.
        steps: the step of each row, ascending (rows,), each dealt by itself; None: all are of one.

    Returns:
        Row numbers, ascending.
    """
    step = np.zeros_like(row_tokens) if steps is None else steps
    order = np.lexsort((-row_tokens, step))
    turn, place = np.divmod(np.arange(len(order)) - np.searchsorted(step, step), world)
    dealt_to = np.where(turn % 2 == 0, place, world - 1 - place)
    return np.sort(order[dealt_to == rank])


def micro_batches(mine: I64, rows: I64, world: int, rows_per_micro_batch: int) -> tuple[I64, I64]:
    """Splits a rank's rows of each step into micro-batches, as many on every rank: each synchronises once a step.

    They are as even as can be, the larger first; a rank with fewer rows than micro-batches gets empty ones.

    Args:
        mine: rows of this rank in each step (steps,).
        rows: rows of all ranks in each step (steps,).
        world: number of workers.
        rows_per_micro_batch: rows of a micro-batch at most.

    Returns:
        Micro-batches of each step (steps,); rows in each of them, step by step (micro-batches,).
    """
    most = -(-rows // world)
    parts = np.maximum(1, -(-most // rows_per_micro_batch))
    number = ranges(np.zeros_like(parts), parts)
    even, more = np.divmod(mine, parts)
    return parts, np.repeat(even, parts) + (number < np.repeat(more, parts))
