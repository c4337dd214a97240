"""A worker's part of every step as arrays, made in a background thread so that training does not wait.

Which samples a step holds, their rows and their ranks are pure functions of the step's number: the number of the
next step is the loader's whole state. Steps are made some at a time, in windows, because numpy's calls cost as much for
a small step as for a large one; where a window begins and ends changes nothing.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from korbert.data.dealing import deal
from korbert.data.masking import MaskRate, Rate
from korbert.data.ragged import offsets
from korbert.data.samples import Samples
from korbert.data.steps import Order

I64 = NDArray[np.int64]

# Windows made ahead of the one in training.
AHEAD = 2
# Tokens of one rank in a window, about: more do not fit a core's caches, fewer do not repay numpy's calls. Measured.
WINDOW_TOKENS = 1 << 15
# A window's steps at most: every rank packs them whole, however small its part of them.
WINDOW_STEPS = 64


@dataclass(frozen=True)
class MicroBatch:
    """S samples one after another, T tokens, M of them masked; what the model's forward takes."""

    tokens: I64
    """(T,)"""
    positions: I64
    """From 0 in each sample (T,)."""
    segments: I64
    """(T,)"""
    lengths: list[int]
    """Tokens of each sample (S,)."""
    masked: I64
    """Indices into the T tokens (M,)."""
    labels: I64
    """(M,)"""
    swapped: I64
    """(S,)"""

    @property
    def masked_counts(self) -> I64:
        """Masked tokens of each sample (S,)."""
        return np.diff(np.searchsorted(self.masked, offsets(np.asarray(self.lengths))))


@dataclass(frozen=True)
class StepBatch:
    """One rank's part of one step, and the whole step's counts."""

    step: int
    """Steps since the start of training."""
    epoch: int
    step_in_epoch: int
    samples: list[int]
    """Ids of this rank's samples."""
    micro_batches: list[MicroBatch | None]
    """None where this rank has no row."""
    global_samples: int
    global_tokens: int
    """Tokens of the step over all ranks, special ones included; nothing is padded."""
    global_masked: int


_Queue = queue.Queue[list[StepBatch] | BaseException]


class Loader:
    """Makes one rank's batches."""

    def __init__(
        self,
        samples: Samples,
        order: Order,
        *,
        row_tokens: int,
        rows_per_micro_batch: int,
        rank: int,
        world: int,
        mask_rate: MaskRate | None = None,
        short: Samples | None = None,
    ) -> None:
        """Batches of `rank` of `world`, at a mask rate that changes with the step; None: at the samples' own.

        The order's short epochs hold the samples `short`.
        """
        self._samples, self._order, self._mask_rate, self._short = samples, order, mask_rate, short
        self._row_tokens, self._rows_per_micro_batch = row_tokens, rows_per_micro_batch
        self._rank, self._world = rank, world

    def batch(self, step: int) -> StepBatch:
        """This rank's part of a step: a pure function of the step's number."""
        return self.window(step, step + 1)[0]

    def window(self, first: int, end: int) -> list[StepBatch]:
        """Steps [first, end) as far as they stand in the epoch of the first, each as `batch` makes it."""
        run = self._order.run(first, end)
        epoch, samples = run.places[0].epoch, self._of(run.places[0].epoch)
        lengths, rates = samples.lengths[run.ids], self._rates(first, run.sizes)
        mine, parts, bounds = deal(
            lengths, run.sizes, self._row_tokens, self._rows_per_micro_batch, self._rank, self._world
        )
        ids = run.ids[mine]
        made = collate(samples, epoch, ids, bounds, None if rates is None else rates[mine])
        begins, ends = offsets(run.sizes)[:-1], offsets(parts)
        counts = (
            run.sizes,
            np.add.reduceat(lengths, begins),
            np.add.reduceat(samples.masked_counts(run.ids, rates), begins),
        )
        taken = ids.tolist()
        return [
            StepBatch(first + i, epoch, place.number, taken[left:right], made[begin:end], *totals)
            for i, (place, (left, right), (begin, end), totals) in enumerate(
                zip(
                    run.places,
                    pairwise(bounds[ends].tolist()),
                    pairwise(ends.tolist()),
                    zip(*(column.tolist() for column in counts), strict=True),
                    strict=True,
                )
            )
        ]

    def windows(self, first: int, end: int) -> Iterator[list[StepBatch]]:
        """Steps [first, end) in order, as many together as are worth a window."""
        while first < end:
            place = self._order.place(first)
            tokens = place.batch * self._of(place.epoch).mean_length / self._world
            steps = max(1, min(WINDOW_STEPS, round(WINDOW_TOKENS / tokens)))
            yield (made := self.window(first, min(end, first + steps)))
            first += len(made)

    def batches(self, first: int, end: int) -> Generator[StepBatch, None, None]:
        """Steps [first, end) in order, made up to AHEAD windows early; a fault of the making is raised here."""
        ready: _Queue = queue.Queue(maxsize=AHEAD)
        closed = threading.Event()

        def make() -> None:
            try:
                for made in self.windows(first, end):
                    _offer(ready, made, closed)
                    if closed.is_set():
                        return
            except BaseException as error:
                _offer(ready, error, closed)

        # A daemon: a worker that must end at once does not wait for it.
        thread = threading.Thread(target=make, name="loader", daemon=True)
        thread.start()
        try:
            while first < end:
                made = ready.get()
                if isinstance(made, BaseException):
                    raise made
                yield from made
                first += len(made)
        finally:
            closed.set()
            thread.join()

    def _of(self, epoch: int) -> Samples:
        return self._short if self._short and self._order.is_short(epoch) else self._samples

    def _rates(self, first: int, sizes: I64) -> NDArray[np.float64] | None:
        """The mask rate of each sample of the steps from `first` on that hold `sizes` samples."""
        if self._mask_rate is None:
            return None
        return np.repeat([self._mask_rate.at(first + number) for number in range(len(sizes))], sizes)


def _offer(ready: _Queue, item: list[StepBatch] | BaseException, closed: threading.Event) -> None:
    """Puts the item when there is room, or gives up when nobody will take it."""
    while not closed.is_set():
        try:
            ready.put(item, timeout=0.1)
            break
        except queue.Full:
            continue


def collate(samples: Samples, epoch: int, ids: I64, bounds: I64, rates: Rate | None) -> list[MicroBatch | None]:
    """Draws samples (S,) and lays those of each micro-batch one after another.

    Args:
        samples: all samples.
        epoch: which of their draws.
        ids: the samples drawn (S,).
        bounds: first of them in each micro-batch, and S (B + 1,); one with none is None.
        rates: mask rate of all or of each (S,); None: the samples' own.
    """
    if not len(ids):
        return [None] * (len(bounds) - 1)
    drawn, lengths = samples.draw_all(epoch, ids, rates), samples.lengths[ids]
    tokens = offsets(lengths)[bounds]
    hidden = np.searchsorted(drawn.masked, tokens)
    # From the first token of their micro-batch on.
    masked, each = drawn.masked - np.repeat(tokens[:-1], np.diff(hidden)), lengths.tolist()
    slices = ([slice(*pair) for pair in pairwise(ends.tolist())] for ends in (bounds, tokens, hidden))
    return [
        MicroBatch(
            tokens=drawn.tokens[inside],
            positions=drawn.places[inside],
            segments=drawn.segments[inside],
            lengths=each[held],
            masked=masked[chosen],
            labels=drawn.labels[chosen],
            swapped=drawn.swapped[held],
        )
        if held.start < held.stop
        else None
        for held, inside, chosen in zip(*slices, strict=True)
    ]
