"""The learning rate as a pure function of the step."""

from __future__ import annotations

import math


def learning_rate(
    step: int, *, steps: int, peak: float, warmup: float, kind: str, decay: float = 0.1, end: int = 0
) -> float:
    """Learning rate of a step, counted from 0.

    It rises linearly over the first `warmup` share of all steps and reaches `peak` at its last. After that

    - constant: it stays;
    - linear: it falls in a line to 0, which the step after the last would have;
    - cosine: it falls in half a cosine to the same 0 (Loshchilov and Hutter 2017);
    - wsd: it stays, and falls over the last `decay` share of all steps by 1 - sqrt(x), x being how far it is through
      them (Haegele et al. 2024, who find it better than a line).

    `end` is the number of steps where they are fewer than `steps`: the fall of wsd lies before it; 0: as `steps`.
    """
    rising = round(warmup * steps)
    if step < rising:
        return peak * (step + 1) / rising
    if kind == "constant":
        return peak
    if kind == "wsd":
        last = end or steps
        falling = min(max(1, round(decay * last)), last - rising)
        return peak * (1 - math.sqrt(max(0, step - (last - falling)) / falling))
    left = (steps - step) / (steps - rising)
    if kind == "cosine":
        return peak * (1 - math.cos(math.pi * left)) / 2
    assert kind == "linear"
    return peak * left
