"""Where a dashed line's label goes: beside the curves, not over them. Pure, in shares of the plot's size."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from korbert.report.axes import Axis
from korbert.report.shapes import Curves, Level

# Of the plot: a character's width and a line's height at the size that labels have.
CHARACTER, LINE = 0.0145, 0.07
SAMPLES = 8


@dataclass(frozen=True)
class Place:
    """A label at the right or left end of its line, above or below it."""

    level: Level
    right: bool
    above: bool


def placed(chart: Curves, x: Axis, y: Axis) -> list[Place]:
    """A place for each level's label: the first of four that fewest curve samples and earlier labels cross."""
    samples = _samples(chart, x, y)
    places = []
    for level in chart.levels:
        options = [Place(level, right, above) for right in (True, False) for above in (True, False)]
        best = min(options, key=lambda option: _crossings(_box(option, y), samples))
        places.append(best)
        samples += _corners(_box(best, y))
    return places


def _box(place: Place, y: Axis) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of the label."""
    width, line = CHARACTER * len(place.level.label), y.place(place.level.y)
    bottom = line if place.above else line - LINE
    return (1 - width, 1.0, bottom, bottom + LINE) if place.right else (0.0, width, bottom, bottom + LINE)


def _crossings(box: tuple[float, float, float, float], samples: list[tuple[float, float]]) -> int:
    left, right, bottom, top = box
    outside = 0 if bottom >= 0 and top <= 1.05 else len(samples)
    return outside + sum(left <= px <= right and bottom <= py <= top for px, py in samples)


def _samples(chart: Curves, x: Axis, y: Axis) -> list[tuple[float, float]]:
    samples = []
    for series in chart.series:
        spots = [(x.place(px), y.place(py)) for px, py in zip(series.x, series.y, strict=True)]
        for (x1, y1), (x2, y2) in pairwise(spots):
            samples += [(x1 + (x2 - x1) * i / SAMPLES, y1 + (y2 - y1) * i / SAMPLES) for i in range(SAMPLES)]
        samples += spots[-1:]
    return samples


def _corners(box: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    """A grid of samples over a label, dense enough that another label cannot lie over it unseen."""
    left, right, bottom, top = box
    return [(left + (right - left) * i / 8, bottom + (top - bottom) * j / 4) for i in range(9) for j in range(5)] * 20
