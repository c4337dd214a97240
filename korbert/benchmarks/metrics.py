"""Scores of a benchmark, and how several seeds' scores become one row of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def accuracy(predicted: NDArray[np.int64], gold: NDArray[np.int64]) -> float:
    """Share of rows whose predicted label is the right one; both (rows,), at least one row."""
    assert predicted.shape == gold.shape
    assert len(gold) > 0
    return float((predicted == gold).mean())


def majority(gold: NDArray[np.int64]) -> float:
    """Accuracy of always answering the most frequent label of `gold` (rows,): what any model must pass."""
    return float(np.bincount(gold).max() / len(gold))


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean of at least one value."""
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float | None:
    """Sample standard deviation (divisor n - 1); None for a single value, which has none."""
    if len(values) < 2:
        return None
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))
