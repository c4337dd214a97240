"""Scores agree with values made by hand and with the standard library's."""

import random
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from korbert.benchmarks import metrics


def test_accuracy_is_the_share_of_right_answers() -> None:
    assert metrics.accuracy(np.array([1, 0, 1, 1]), np.array([1, 1, 1, 0])) == 0.5


def test_the_majority_baseline_is_the_share_of_the_commonest_label() -> None:
    assert metrics.majority(np.array([0, 1, 1, 1])) == 0.75
    assert metrics.majority(np.array([0, 0, 0])) == 1.0


def test_deviation_divides_by_one_less_than_the_seeds() -> None:
    assert metrics.mean([0.7, 0.8, 0.9]) == pytest.approx(0.8)
    assert metrics.deviation([0.7, 0.8, 0.9]) == pytest.approx(0.1)


def test_a_single_score_has_no_deviation() -> None:
    assert metrics.deviation([0.8]) is None


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.randoms())
def test_mean_and_deviation_agree_with_the_standard_library(values: list[float], shuffler: random.Random) -> None:
    expected = (statistics.fmean(values), statistics.stdev(values))
    shuffler.shuffle(values)
    assert metrics.mean(values) == pytest.approx(expected[0])
    assert metrics.deviation(values) == pytest.approx(expected[1], abs=1e-9)
