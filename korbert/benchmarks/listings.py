"""Which errors are shown: the first of an order, and some drawn from the rest; the same ones every time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from korbert.benchmarks.blocks import Block, Item, Listing

Entry = dict[str, Any]
"""A line of predictions.jsonl."""
DRAW = 20_160_628
"""Seed of the draws."""


def two_listings(
    titles: tuple[str, str], ordered: Sequence[Entry], count: int, item: Callable[[Entry], Item]
) -> list[Block]:
    """The first `count` of `ordered`, and as many drawn from the rest, in the order of the file."""
    rest = list(ordered[count:])
    drawn = sorted(random.Random(DRAW).sample(rest, min(count, len(rest))), key=lambda entry: entry["row"])
    listings: list[Block] = [Listing(titles[0], tuple(item(entry) for entry in ordered[:count]), len(ordered))]
    return listings + ([Listing(titles[1], tuple(item(entry) for entry in drawn), len(rest))] if drawn else [])


def drawn_listing(title: str, items: Sequence[Item], count: int) -> Listing:
    """`count` items drawn at random, in their order."""
    places = sorted(random.Random(DRAW).sample(range(len(items)), min(count, len(items))))
    return Listing(title, tuple(items[place] for place in places), len(items))


def measures(right: int, gold: int, predicted: int) -> tuple[float, float, float]:
    """Precision, recall and F1; 0 where there is nothing to divide by."""
    return (
        right / predicted if predicted else 0.0,
        right / gold if gold else 0.0,
        2 * right / (gold + predicted) if right else 0.0,
    )
