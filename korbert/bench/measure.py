"""Alternating rounds of ours and the peer's, and their medians."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple


class Seconds(NamedTuple):
    """What one piece of work took."""

    wall: float
    processor: float
    """Of all threads of this process: other work on the machine hardly changes it."""

    @classmethod
    def now(cls) -> Seconds:
        """Both clocks."""
        return cls(time.perf_counter(), time.process_time())

    def until(self, later: Seconds) -> Seconds:
        """From here to there."""
        return Seconds(later.wall - self.wall, later.processor - self.processor)


@dataclass(frozen=True)
class Measurement:
    """One benchmark's result; rates are units a second."""

    name: str
    peer_name: str
    unit: str
    ours: list[float]
    """One rate a round."""
    peer: list[float]
    """One rate a round, measured just after ours; none: ours was measured alone."""
    machine: str
    details: dict[str, Any] = field(default_factory=dict)
    """What was measured: shapes, counts, versions."""
    notes: list[str] = field(default_factory=list)
    """Lines for people, between the rates and the details."""

    @property
    def ratio(self) -> float:
        """Ours over the peer's, median of the rounds' ratios: a round's pair shares the machine's mood."""
        return statistics.median(o / p for o, p in zip(self.ours, self.peer, strict=True))

    def text(self) -> str:
        """For people."""
        rounds = f"{len(self.ours)} {'alternating ' if self.peer else ''}rounds"
        lines = [f"{self.name}: {self.unit}, {rounds} on {self.machine}", f"  ours          {_spread(self.ours)}"]
        if self.peer:
            lines += [f"  {self.peer_name:<13} {_spread(self.peer)}", f"  ratio         {self.ratio:.2f}"]
        # What the notes draw needs no second line.
        plain = (f"  {key}: {value}" for key, value in self.details.items() if not isinstance(value, dict | list))
        return "\n".join([*lines, *self.notes, *plain])

    def json(self) -> str:
        """For programs: one line."""
        values: dict[str, Any] = {
            "name": self.name,
            "ours": statistics.median(self.ours),
            "unit": self.unit,
            "machine": self.machine,
            "rounds": len(self.ours),
            "ours_rounds": self.ours,
        }
        if self.peer:
            values |= {"peer": statistics.median(self.peer), "ratio": self.ratio, "peer_name": self.peer_name}
            values |= {"peer_rounds": self.peer}
        values |= self.details
        return json.dumps(values, ensure_ascii=False)


def _spread(rates: list[float]) -> str:
    return f"median {statistics.median(rates):>12,.0f}   min {min(rates):>12,.0f}   max {max(rates):>12,.0f}"


def alternate(
    ours: Callable[[], int], peer: Callable[[], int], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[list[float], list[float]]:
    """Rates of both, in turns after one uncounted round each; each call answers the units it worked through."""

    def rate(work: Callable[[], int]) -> float:
        started = clock()
        units = work()
        return units / (clock() - started)

    return alternate_rates(lambda: rate(ours), lambda: rate(peer), rounds)


def alternate_rates(
    ours: Callable[[], float], peer: Callable[[], float], rounds: int
) -> tuple[list[float], list[float]]:
    """Rates of both, in turns after one uncounted round each; each call measures itself and answers its rate."""
    rates: tuple[list[float], list[float]] = ([], [])
    for counted in range(-1, rounds):
        for work, kept in zip((ours, peer), rates, strict=True):
            rate = work()
            if counted >= 0:
                kept.append(rate)
    return rates


def machine() -> str:
    """This machine in a few words: processor, cores this process may use, system."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()} {platform.machine()}"


def versions(*packages: str) -> dict[str, str]:
    """Installed versions."""
    return {package: version(package) for package in packages}
