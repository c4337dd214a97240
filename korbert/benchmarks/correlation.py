"""How two rows of numbers go together: Pearson's and Spearman's correlation, and how alike two texts look.

The same arithmetic as scipy.stats.pearsonr and spearmanr, so that their results agree to the last digits. Where one
side is constant there is no correlation: the answer is 0, never no number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]


def pearson(first: Values, second: Values) -> float:
    """Pearson's correlation of two (n,), -1 to 1; 0 where one is constant or n is below 2."""
    assert first.shape == second.shape
    if constant(first) or constant(second):
        return 0.0
    return float(np.clip(np.vecdot(_unit(first), _unit(second)), -1.0, 1.0))


def spearman(first: Values, second: Values) -> float:
    """Spearman's rank correlation of two (n,), ties with their average rank; 0 where one is constant."""
    if constant(first) or constant(second):
        return 0.0
    # As scipy lays the two out: the order of the sums decides the last digit.
    both = np.asarray(np.corrcoef(np.column_stack((ranks(first), ranks(second))), rowvar=False))
    return float(both[1, 0])


def constant(values: Values) -> bool:
    """Whether all of (n,) are the same number."""
    return bool(len(values) < 2 or (values == values[0]).all())


def ranks(values: Values) -> NDArray[np.float64]:
    """(n,) the rank of each value from 1; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: NDArray[np.float64] = (last - counts + 1 + last) / 2
    return mean[places]


def likeness(first: Sequence[str], second: Sequence[str]) -> NDArray[np.float64]:
    """(n,) share of the character bigrams that two texts have in common (Dice), 0 to 1; spaces do not count."""
    return np.asarray([_dice(_bigrams(a), _bigrams(b)) for a, b in zip(first, second, strict=True)])


def _unit(values: Values) -> NDArray[np.float64]:
    centred = values.astype(np.float64) - values.astype(np.float64).mean()
    largest = np.abs(centred).max()
    unit: NDArray[np.float64] = centred / (largest * np.linalg.norm(centred / largest))
    return unit


def _bigrams(text: str) -> Counter[str]:
    bare = "".join(text.split())
    return Counter(bare[place : place + 2] for place in range(max(len(bare) - 1, 1)))


def _dice(first: Counter[str], second: Counter[str]) -> float:
    return 2 * (first & second).total() / max(first.total() + second.total(), 1)
