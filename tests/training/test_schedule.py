"""The learning rate over the steps."""

from itertools import pairwise

import pytest

from korbert.training.schedule import learning_rate

KINDS = ("linear", "cosine", "constant", "wsd")


def _rates(kind: str, warmup: float, steps: int = 100, decay: float = 0.2) -> list[float]:
    return [learning_rate(step, steps=steps, peak=2.0, warmup=warmup, kind=kind, decay=decay) for step in range(steps)]


@pytest.mark.parametrize("kind", KINDS)
def test_all_rise_in_a_line_to_the_peak(kind: str) -> None:
    rates = _rates(kind, 0.1)
    assert rates[:10] == pytest.approx([0.2 * (i + 1) for i in range(10)])
    assert rates[10] == max(rates) == 2.0


def test_linear_falls_towards_zero() -> None:
    rates = _rates("linear", 0.1)
    assert rates[-1] == pytest.approx(2.0 / 90)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_cosine_falls_slowly_first_and_last_and_is_half_way_in_the_middle() -> None:
    rates = _rates("cosine", 0.1)
    drops = [a - b for a, b in pairwise(rates[10:])]
    assert rates[55] == pytest.approx(1.0)
    assert all(drop > 0 for drop in drops)
    assert drops.index(max(drops)) in (44, 45)
    assert 0 < rates[-1] < 0.001


def test_constant_stays_at_the_peak() -> None:
    assert set(_rates("constant", 0.05)[5:]) == {2.0}


def test_wsd_stays_and_falls_over_the_last_share_only() -> None:
    rates = _rates("wsd", 0.1)
    assert set(rates[9:81]) == {2.0}
    assert rates[85] == pytest.approx(2.0 * (1 - 0.5))  # a quarter of the way, by the square root
    assert rates[80:] == sorted(rates[80:], reverse=True)
    assert rates[-1] == pytest.approx(2.0 * (1 - 0.95**0.5))


def test_wsd_that_ends_early_has_the_planned_rates_up_to_its_own_fall() -> None:
    def rate(step: int, end: int) -> float:
        return learning_rate(step, steps=100, peak=2.0, warmup=0.1, kind="wsd", decay=0.2, end=end)

    early = [rate(step, 60) for step in range(60)]
    assert early[:48] == [rate(step, 0) for step in range(48)]
    assert set(early[9:49]) == {2.0}
    assert early[48:] == sorted(early[48:], reverse=True)
    assert early[-1] == pytest.approx(2.0 * (1 - (11 / 12) ** 0.5))


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("warmup", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_of_few_steps_has_rates_above_zero_and_not_above_the_peak(
    steps: int, warmup: float, kind: str
) -> None:
    assert all(0 < rate <= 2.0 for rate in _rates(kind, warmup, steps, decay=0.01))
    assert all(0 < rate <= 2.0 for rate in _rates(kind, warmup, steps, decay=1 - warmup))
