"""The learning rate over the steps."""

import pytest

from korbert.training.schedule import learning_rate


def _rates(kind: str, warmup: float, steps: int = 100) -> list[float]:
    return [learning_rate(step, steps=steps, peak=2.0, warmup=warmup, kind=kind) for step in range(steps)]


def test_linear_rises_to_the_peak_and_falls_towards_zero() -> None:
    rates = _rates("linear", 0.1)
    assert rates[:10] == pytest.approx([0.2 * (i + 1) for i in range(10)])
    assert rates[10] == 2.0
    assert rates[-1] == pytest.approx(2.0 / 90)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_constant_stays_at_the_peak() -> None:
    assert set(_rates("constant", 0.05)[5:]) == {2.0}


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("warmup", [0.0, 0.5, 0.99])
def test_a_training_of_few_steps_has_rates_above_zero_and_not_above_the_peak(steps: int, warmup: float) -> None:
    for kind in ("linear", "constant"):
        assert all(0 < rate <= 2.0 for rate in _rates(kind, warmup, steps))
