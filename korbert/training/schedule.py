"""The learning rate as a pure function of the step."""

from __future__ import annotations


def learning_rate(step: int, *, steps: int, peak: float, warmup: float, kind: str) -> float:
    """Learning rate of a step, counted from 0.

    It rises linearly over the first `warmup` share of all steps and reaches `peak` at its last; then it stays
    (`constant`) or falls linearly (`linear`) to 0, which the step after the last would have.
    """
    rising = round(warmup * steps)
    if step < rising:
        return peak * (step + 1) / rising
    if kind == "constant":
        return peak
    assert kind == "linear"
    return peak * (steps - step) / (steps - rising)
