"""The epoch's permutation."""

import numpy as np
import pytest

from korbert.data.order import Permutation


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 15, 16, 17, 64, 65, 255, 1000, 4097])
def test_every_position_has_an_image_of_its_own(n: int) -> None:
    images = Permutation(n, 1, 0)(np.arange(n))
    assert sorted(images) == list(range(n))


def test_an_image_does_not_depend_on_which_others_are_asked_for() -> None:
    order = Permutation(1000, 1, 0)
    assert [int(order(np.array([i]))[0]) for i in range(50)] == list(order(np.arange(50)))


def test_seeds_and_epochs_give_different_orders() -> None:
    orders = {tuple(Permutation(50, seed, epoch)(np.arange(50))) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25


def test_a_trillion_samples_take_no_table() -> None:
    n = 10**12
    images = Permutation(n, 1, 0)(np.arange(n - 1000, n))
    assert len(set(images)) == 1000
    assert images.min() >= 0
    assert images.max() < n
    # Images of neighbours are spread over the whole range: their mean is that of uniform numbers.
    assert abs(images.mean() / n - 0.5) < 0.05


@pytest.mark.parametrize("n", [6, 100])
def test_each_sample_is_as_likely_at_each_place(n: int) -> None:
    """Chi-squared of one place's sample over 3,000 epochs, against its 99.99 % quantile (Wilson-Hilferty)."""
    drawn = [int(Permutation(n, 1, epoch)(np.array([n // 2]))[0]) for epoch in range(3000)]
    expected = 3000 / n
    statistic = ((np.bincount(drawn, minlength=n) - expected) ** 2 / expected).sum()
    freedom = n - 1
    assert statistic < freedom * (1 - 2 / (9 * freedom) + 3.72 * (2 / (9 * freedom)) ** 0.5) ** 3
