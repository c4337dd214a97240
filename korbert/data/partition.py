"""Which worker computes which rows of a step: integer arithmetic on row sizes, rank and world size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def share(row_tokens: NDArray[np.int64], rank: int, world: int) -> list[int]:
    """The rows of `rank`: all rows by falling size, dealt to the ranks to and fro (0 1 2 2 1 0 0 1 ...).

    Counts differ by at most one row between ranks, tokens by at most the largest row.

    Args:
        row_tokens: tokens of each row (rows,).
        rank: 0 to world - 1.
        world: number of workers.

    Returns:
        Row numbers, ascending.
    """
    order = np.argsort(-row_tokens, kind="stable")
    turn, place = np.divmod(np.arange(len(order)), world)
    dealt_to = np.where(turn % 2 == 0, place, world - 1 - place)
    return sorted(int(row) for row in order[dealt_to == rank])


def micro_batches(rows: list[int], all_rows: int, world: int, rows_per_micro_batch: int) -> list[list[int]]:
    """Splits a rank's rows into micro-batches, as many on every rank, because each synchronises once a step.

    A rank with fewer rows than micro-batches gets empty ones.
    """
    most_rows = -(-all_rows // world)
    count = max(1, -(-most_rows // rows_per_micro_batch))
    return [[int(row) for row in part] for part in np.array_split(np.asarray(rows, dtype=np.int64), count)]
