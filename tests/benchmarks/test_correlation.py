"""Correlations are scipy's to the last digit, ties included, and never no number."""

import numpy as np
import pytest
from scipy import stats

from korbert.benchmarks import correlation


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and gold scores, every other draw with many ties."""
    generator = np.random.default_rng(seed)
    size = int(generator.integers(3, 200))
    gold = generator.integers(0, 26, size) / 5
    predicted = gold * generator.normal() + generator.normal(size=size)
    return (np.round(predicted) if seed % 2 else predicted), gold


def test_a_thousand_drawn_predictions_correlate_as_scipy_says() -> None:
    compared = 0
    for seed in range(1_000):
        predicted, gold = drawn(seed)
        if correlation.constant(predicted) or correlation.constant(gold):
            continue
        assert correlation.pearson(predicted, gold) == pytest.approx(stats.pearsonr(predicted, gold)[0], abs=1e-15)
        assert correlation.spearman(predicted, gold) == stats.spearmanr(predicted, gold)[0]
        assert correlation.ranks(predicted).tolist() == stats.rankdata(predicted).tolist()
        compared += 1
    assert compared > 980


@pytest.mark.parametrize("score", [correlation.pearson, correlation.spearman], ids=["pearson", "spearman"])
def test_a_constant_side_correlates_with_nothing(score) -> None:
    one, two = np.full(5, 2.5), np.arange(5.0)
    assert score(one, two) == score(two, one) == score(one, one) == score(one[:1], two[:1]) == 0.0
    assert score(two, two * 3 + 1) == pytest.approx(1.0)
    assert score(two, -two) == pytest.approx(-1.0)


def test_texts_are_as_alike_as_their_shared_character_pairs() -> None:
    alike = correlation.likeness(["새빛 하늘", "가나", "", "가"], ["새빛하늘", "다라", "", "가"])
    assert alike.tolist() == [1.0, 0.0, 1.0, 1.0]
    assert 0 < correlation.likeness(["비가 온다"], ["비가 왔다"])[0] < 1
