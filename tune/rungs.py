"""Where a trial is judged on its way, counted in parts of an epoch: at ASHA's rungs and at each epoch's end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from korbert.benchmarks.fitting import Part
from korbert.config import TuneConfig

Stretch = tuple[int, Part]
"""An epoch's number and the part of it between two judgements."""


def rungs(config: TuneConfig) -> tuple[int, ...]:
    """The parts after which ASHA decides, the last epoch's end left out; none for the other schedulers."""
    last = config.epochs * config.parts
    found, rung = [], 1
    while config.scheduler == "asha" and rung < last:
        found.append(rung)
        rung *= config.reduction
    return tuple(found)


def stretches(epochs: int, parts: int, rungs: Sequence[int], done: int) -> Iterator[Stretch]:
    """What is trained from one judgement to the next, in order.

    Args:
        epochs: Of the trial.
        parts: Of an epoch.
        rungs: After how many parts a trial is judged besides.
        done: Parts that are trained already.
    """
    ends = sorted({*(parts * number for number in range(1, epochs + 1)), *(r for r in rungs if r < epochs * parts)})
    for end in ends:
        if end > done:
            epoch = done // parts
            yield epoch + 1, (done - epoch * parts, end - epoch * parts, parts)
            done = end
