"""Where samples lie: T tokens of S samples one after another, and the filled form of it whose shapes never change.

A compiled step, and a TPU, want the same shapes at every step. `filled` brings a micro-batch to a budget: the tokens
behind the last real one make up samples of their own, which nobody sees and no loss counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

# What cross entropy leaves out (torch's default `ignore_index`).
IGNORED = -100


class Layout(NamedTuple):
    """The borders of S samples among T tokens."""

    bounds: Tensor
    """(S + 1,) int32, ascending: sample s is tokens [bounds[s], bounds[s + 1]); equal borders are an empty sample."""
    longest: int
    """No sample has more tokens."""
    lengths: tuple[int, ...] | None
    """Tokens of each sample where the host may act on them; None where shapes must not depend on them."""


class Wanted(NamedTuple):
    """Tokens whose last hidden states are asked for, where those of the others are never looked at."""

    places: Tensor
    """(N,) their indices, ascending."""
    bounds: Tensor
    """(S + 1,) int32: sample s's are places [bounds[s], bounds[s + 1])."""
    counts: tuple[int, ...] | None
    """Of each sample, where the host may act on them."""
    order: Tensor
    """(N,) which of `places` was asked for first, second and so on."""


class Inputs(NamedTuple):
    """What the models' forward takes, in its order."""

    tokens: Tensor
    positions: Tensor
    segments: Tensor
    lengths: Sequence[int] | Layout
    masked: Tensor
    labels: Tensor
    swapped: Tensor


class Budget(NamedTuple):
    """The fixed sizes of a filled micro-batch."""

    tokens: int
    """T: rows a micro-batch times the tokens of a row."""
    samples: int
    """S: real samples, and one for each `longest` tokens of filling or part of them."""
    masked: int
    """M: masked tokens at most."""
    longest: int
    """Tokens of a sample at most."""


def layout_of(lengths: Sequence[int] | Layout, device: torch.device) -> Layout:
    """Lengths as a layout on `device`; a layout is answered as it is."""
    if isinstance(lengths, Layout):
        return lengths
    bounds = torch.tensor([0, *lengths]).cumsum(0).to(device, torch.int32)
    return Layout(bounds, max(lengths), tuple(lengths))


def firsts(layout: Layout, tokens: int) -> Tensor:
    """(S,) the index of each sample's first token among `tokens`; some index for an empty sample at the end."""
    return layout.bounds[:-1].clamp(max=tokens - 1).long()


def wanted_of(layout: Layout, asked: Tensor) -> Wanted:
    """Indices into the tokens (N,), in any order and also twice, by sample. Where the layout's lengths are the host's
    to act on, this waits for the device."""
    places, came = asked.sort()
    bounds = torch.searchsorted(places, layout.bounds.long())
    counts = None if layout.lengths is None else tuple(bounds.diff().tolist())
    return Wanted(places, bounds.int(), counts, came.argsort())


def filled(batch: Inputs, budget: Budget, pad_id: int) -> Inputs:
    """The micro-batch with the budget's shapes; the losses, counts and gradients stay what they were.

    Filling reads the padding token at positions from 0, so that every index stays inside its table. Filled masked
    places point at tokens of their own (equal ones would queue up in the backward pass) and are labelled IGNORED, as
    is the order of samples that are not there.
    """
    layout = layout_of(batch.lengths, batch.tokens.device)
    assert layout.lengths is not None, "a filled micro-batch cannot be filled again"
    real, spare = len(batch.tokens), budget.tokens - len(batch.tokens)
    borders = [*range(real, budget.tokens, budget.longest), budget.tokens][1:] if spare else []
    empty = budget.samples - len(layout.lengths) - len(borders)
    few = budget.masked - len(batch.masked)
    assert min(spare, empty, few, budget.longest - layout.longest) >= 0, "over the budget"
    bounds = torch.tensor(borders + [budget.tokens] * empty, dtype=torch.int32, device=layout.bounds.device)
    return Inputs(
        tokens=pad(batch.tokens, (0, spare), value=pad_id),
        positions=torch.cat([batch.positions, torch.arange(spare, device=batch.positions.device) % budget.longest]),
        segments=pad(batch.segments, (0, spare)),
        lengths=Layout(torch.cat([layout.bounds, bounds]), budget.longest, None),
        masked=torch.cat([batch.masked, torch.arange(few, device=batch.masked.device) % budget.tokens]),
        labels=pad(batch.labels, (0, few), value=IGNORED),
        swapped=pad(batch.swapped, (0, len(borders) + empty), value=IGNORED),
    )
