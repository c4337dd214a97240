"""Which rows are trained on and which choose between epochs and settings: pure functions of labels and seed.

Every draw is stratified: each part holds the labels in the proportion of the whole, up to one row a label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from korbert.errors import UsageError

Rows = NDArray[np.int64]
"""Ascending row numbers."""

# One held-out set for all seeds, sweeps included: their validation accuracies can be compared with each other.
HELD_OUT_SEED = 20_160_628


def held_out(labels: NDArray[np.int64], share: float) -> tuple[Rows, Rows]:
    """Splits all rows into (training, validation); both parts hold at least one row of each label.

    Args:
        labels: (rows,) label of each row.
        share: Share of the rows held out for validation.

    Raises:
        UsageError: when there is one label only, or a label has a single row.
    """
    present, counts = np.unique(labels, return_counts=True)
    if len(present) < 2:
        raise UsageError(f"training rows: all {len(labels)} have label {present[0]}; give rows of at least two labels")
    if counts.min() < 2:
        label = present[counts.argmin()]
        raise UsageError(f"training rows: label {label} has a single row; it needs one to train on and one to validate")
    generator = np.random.default_rng(HELD_OUT_SEED)
    held = np.zeros(len(labels), dtype=np.bool_)
    for label, count in zip(present, counts, strict=True):
        chosen = min(count - 1, max(1, round(share * count)))
        held[generator.permutation(np.flatnonzero(labels == label))[:chosen]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def held_out_of(count: int, share: float) -> tuple[Rows, Rows]:
    """Splits `count` rows that have no label of their own into (training, validation), one row at least in each.

    Raises:
        UsageError: when there are fewer than two rows.
    """
    if count < 2:
        raise UsageError(f"training rows: there is {count}; give at least one to train on and one to validate")
    chosen = min(count - 1, max(1, round(share * count)))
    order = np.random.default_rng(HELD_OUT_SEED).permutation(count)
    return np.sort(order[chosen:]), np.sort(order[:chosen])


def held_out_groups(groups: Sequence[str], share: float) -> tuple[Rows, Rows]:
    """Splits rows into (training, validation) by group: no group has rows on both sides.

    Whole groups are drawn until the held-out rows are `share` of all or more; one group is always left to train on.

    Args:
        groups: The group of each row, such as the text that a question is about.
        share: Share of the rows held out for validation.

    Raises:
        UsageError: when all rows are of one group.
    """
    names, members, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise UsageError(f"training rows: all {len(groups)} are on one text; give rows on at least two")
    order = np.random.default_rng(HELD_OUT_SEED).permutation(len(names))
    count = int(np.searchsorted(np.cumsum(sizes[order]), share * len(groups))) + 1
    held = np.isin(members, order[: min(count, len(names) - 1)])
    return np.flatnonzero(~held), np.flatnonzero(held)


def drawn(rows: Rows, strata: NDArray[np.int64], limit: int, seed: int) -> Rows:
    """`limit` of `rows`, drawn by seed; all of them for limit 0 or one that is not below their number.

    Args:
        rows: Row numbers to draw from.
        strata: (all rows,) what is kept in proportion: the label of each row of the file, where it has one.
        limit: How many; at least one of each stratum is kept where the limit allows.
        seed: Equal seeds draw equal rows.
    """
    if not limit or limit >= len(rows):
        return rows
    generator = np.random.default_rng(seed)
    groups = [generator.permutation(rows[strata[rows] == stratum]) for stratum in np.unique(strata[rows])]
    quotas = shares([len(group) for group in groups], limit)
    return np.sort(np.concatenate([group[:quota] for group, quota in zip(groups, quotas, strict=True)]))


def shares(sizes: list[int], limit: int) -> list[int]:
    """`limit` divided in proportion to `sizes` by largest remainders: sums to `limit`, none above its size."""
    exact = [limit * size / sum(sizes) for size in sizes]
    quotas = [int(value) for value in exact]
    by_remainder = sorted(range(len(sizes)), key=lambda i: quotas[i] - exact[i])
    for i in by_remainder[: limit - sum(quotas)]:
        quotas[i] += 1
    for i in range(len(quotas)):
        largest = max(range(len(quotas)), key=quotas.__getitem__)
        if quotas[i] == 0 and quotas[largest] > 1:
            quotas[i], quotas[largest] = 1, quotas[largest] - 1
    return quotas
