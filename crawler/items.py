"""What the spider brings home: the outcome of one slice, and the run's tally."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from korbert.db.articles import Article, StoreCounts
from korbert.db.ledger import Slice, SliceKey
from korbert.db.raw import RawPage

RELEASED = "released"
"""Outcome of a slice that was given back untried: the crawler stops, or the API is closed for today."""


class Stopping(Exception):
    """The crawler was told to stop before this was fetched."""


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
    narrower: tuple[SliceKey, ...] = ()
    """Slices that this one, being capped, is split into."""
    pages: tuple[RawPage, ...] = ()
    """The article pages as they came, where they are kept; those that could not be read too."""
    fetched: int = 0
    """Article pages that came, and items of an API's answer."""
    extracted: int = 0
    """Of them, those that could be read."""


@dataclass
class Tally:
    """The run in numbers: what the summary, the metrics and the progress are made of.

    Written by the reactor's thread only; the thread that answers scrapes reads it.
    """

    slices: Counter[str] = field(default_factory=Counter)
    """Outcomes by state; `lost` counts leases that another crawler had taken meanwhile."""
    ledger: dict[str, int] = field(default_factory=dict)
    """The source's slices by state, over all crawlers, when the ledger was last looked at."""
    calls_left: int | None = None
    """API calls that all crawlers may still make today, when last looked at; None: not known."""
    requests: Counter[str] = field(default_factory=Counter)
    """Answers by HTTP status, and requests without one by the fault's name; each try counts."""
    received: int = 0
    """Bytes of the answers' bodies, as they came over the wire."""
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Seconds spent by stage: fetch (summed over requests in flight at once), parse, store."""
    fetched: int = 0
    """Articles downloaded and read."""
    new: int = 0
    """Of them, stored for the first time."""
    changed: int = 0
    """Of them, stored again with another text."""
    unchanged: int = 0
    """Of them, stored before with the same text."""
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
        self.unchanged += stored.unchanged

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds the block's seconds to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - started
