"""Which samples each step holds, with a batch that may grow and samples that may be short at first.

A training is a short table of stretches: consecutive steps of one epoch with one batch size. Any step of any epoch is
found in it by bisection, so resuming stays free; the table has a line a size of the ramp and an epoch of the ramps,
whatever the number of steps and samples.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from korbert.data.order import Permutation

I64 = NDArray[np.int64]

# Batch sizes of a ramp, evenly spaced, each for the same number of steps (ModernBERT, Warner et al. 2024: "each batch
# size has the same number of update steps").
RAMP_SIZES = 8
# Positions whose samples are computed together: for a small step alone numpy's calls cost more than the work.
_BLOCK = 4096


@dataclass(frozen=True)
class Ramp:
    """Batch sizes before the full one, ascending, each for the same number of steps; none: the batch is constant."""

    sizes: tuple[int, ...] = ()
    """Samples a step, smaller than the full batch."""
    steps: int = 0
    """Steps of each size, the shorter ones at the end of an epoch included."""


def ramp(start: int, full: int, share: float, steps: int) -> Ramp:
    """The ramp from `start` samples a step to `full` over about `share` of a training of `steps` steps.

    It has at most RAMP_SIZES sizes; fewer where there are fewer steps or sizes between.
    """
    count = min(RAMP_SIZES, full - start, round(share * steps))
    if count <= 0:
        return Ramp()
    return Ramp(tuple(start + i * (full - start) // count for i in range(count)), round(share * steps / count))


@dataclass(frozen=True)
class Short:
    """The first epochs, whose samples are cut shorter and so are others."""

    epochs: int = 0
    samples: int = 0
    """Samples of each of them."""


class Place(NamedTuple):
    """Where a step stands."""

    epoch: int
    number: int
    """Steps of the epoch before it."""
    position: int
    """Samples of the epoch before it."""
    batch: int
    """Samples it holds, where the epoch has as many left."""


class Run(NamedTuple):
    """Consecutive steps of one epoch."""

    places: list[Place]
    """Where each stands."""
    sizes: I64
    """Samples of each (steps,)."""
    ids: I64
    """Their samples, one step after another (sizes.sum(),)."""


class _Stretch(NamedTuple):
    step: int
    """Its first step, counted from the start of training."""
    place: Place
    """Where that one stands."""


class Order:
    """Which samples each step holds: the epoch's permutation, cut into batches.

    The last step of an epoch is shorter where the batch does not divide the samples: none is dropped.
    """

    def __init__(
        self, samples: int, global_batch: int, seed: int, growth: Ramp | None = None, short: Short | None = None
    ) -> None:
        """The order of `samples` samples an epoch, after the epochs that are `short`, in batches of `global_batch`,
        after those of the ramp `growth`."""
        self._short, self._samples, self._seed = short or Short(), samples, seed
        assert samples > 0
        # A few blocks stay; nothing else is kept from one question to the next, so threads may ask together.
        self._block = lru_cache(maxsize=4)(self._permuted)
        self._regular = -(-samples // global_batch)
        self._stretches = _stretches(self.samples, self._short.epochs, global_batch, growth or Ramp())
        self._starts = [stretch.step for stretch in self._stretches]
        self._begins = {place.epoch: step for step, place in self._stretches if place.position == 0}

    def samples(self, epoch: int) -> int:
        """Samples of an epoch; their ids are 0 to one below."""
        return self._short.samples if self.is_short(epoch) else self._samples

    def is_short(self, epoch: int) -> bool:
        """Whether the epoch's samples are the shorter ones."""
        return epoch < self._short.epochs

    def place(self, step: int) -> Place:
        """Where a step, counted from the start of training, stands."""
        assert step >= 0
        first, (epoch, number, position, batch) = self._stretches[bisect_right(self._starts, step) - 1]
        epochs, inner = divmod(step - first, self._regular) if first == self._starts[-1] else (0, step - first)
        return Place(epoch + epochs, number + inner, position + inner * batch, batch)

    def first_step(self, epoch: int) -> int:
        """The step an epoch begins with; so many steps have all epochs before it."""
        last = self._stretches[-1]
        if epoch >= last.place.epoch:
            return last.step + (epoch - last.place.epoch) * self._regular
        return self._begins[epoch]

    def ids(self, step: int) -> I64:
        """Sample ids of a step, counted from the start of training, in their order (at most the step's batch,)."""
        return self.run(step, step + 1).ids

    def run(self, first: int, end: int) -> Run:
        """The steps [first, end) as far as they stand in the epoch of the first."""
        begin = self.place(first)
        places = [begin, *takewhile(lambda place: place.epoch == begin.epoch, map(self.place, range(first + 1, end)))]
        stop = min(places[-1].position + places[-1].batch, self.samples(begin.epoch))
        blocks = range(begin.position // _BLOCK, -(-stop // _BLOCK))
        ids = np.concatenate([self._block(begin.epoch, number) for number in blocks])
        bounds = np.array([*(place.position for place in places), stop])
        before = blocks.start * _BLOCK
        return Run(places, np.diff(bounds), ids[begin.position - before : stop - before])

    def _permuted(self, epoch: int, block: int) -> I64:
        """The samples at an epoch's positions from block * _BLOCK on (at most _BLOCK,)."""
        samples = self.samples(epoch)
        positions = np.arange(block * _BLOCK, min((block + 1) * _BLOCK, samples))
        return Permutation(samples, self._seed, epoch)(positions)


def _stretches(samples: Callable[[int], int], short: int, full: int, growth: Ramp) -> list[_Stretch]:
    """The table; its last line is the first whole epoch of full batches and long samples, like which all others are."""
    found: list[_Stretch] = []
    step, epoch, number, position = 0, 0, 0, 0
    # The full batch goes on to the end of the epoch that the ramp ends in, and of the short ones.
    for batch, wanted in (*((size, growth.steps) for size in growth.sizes), (full, sys.maxsize)):
        while wanted and (batch < full or position or epoch < short):
            taken = min(wanted, -(-(samples(epoch) - position) // batch))
            found.append(_Stretch(step, Place(epoch, number, position, batch)))
            step, number, position, wanted = step + taken, number + taken, position + taken * batch, wanted - taken
            if position >= samples(epoch):
                epoch, number, position = epoch + 1, 0, 0
    return [*found, _Stretch(step, Place(epoch, 0, 0, full))]
