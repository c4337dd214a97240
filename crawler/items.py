"""What the spider brings home: the outcome of one slice, and the run's tally."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from korbert.db.articles import Article, StoreCounts
from korbert.db.ledger import Slice, SliceKey

RELEASED = "released"
"""Outcome of a slice that was given back untried: the crawler stops, or the API is closed for today."""


@dataclass(frozen=True)
class Outcome:
    """One slice, worked on: what is stored in one transaction."""

    slice: Slice
    state: str
    """done, capped, pending (to be tried again), failed, or `RELEASED`."""
    articles: tuple[Article, ...] = ()
    following: tuple[SliceKey, ...] = ()
    """Slices that this one showed to exist."""
    total: int | None = None
    seen: int = 0
    error: str = ""


@dataclass
class Tally:
    """The run in numbers."""

    slices: Counter[str] = field(default_factory=Counter)
    """Outcomes by state."""
    fetched: int = 0
    """Articles downloaded and read."""
    new: int = 0
    """Of them, stored for the first time."""
    changed: int = 0
    """Of them, stored again with another text."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Native ids of articles that were left out, with the reason in one word."""
    api_closed: str = ""
    """Why the search API is asked no more; empty: it is open."""
    stopped_by: int = 0
    """Number of the signal that ended the run; 0: none."""

    def count(self, outcome: Outcome, stored: StoreCounts) -> None:
        """Adds one slice's outcome."""
        self.slices[outcome.state] += 1
        self.new += stored.new
        self.changed += stored.changed
