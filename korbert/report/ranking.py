"""Our scores among the published ones of a task: a chart, a row a model, best first. As data, SVG and PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from korbert.benchmarks import published
from korbert.benchmarks.published import Column
from korbert.benchmarks.scored import Scored
from korbert.benchmarks.table import comparable, trained_on
from korbert.report import axes
from korbert.report.axes import Axis
from korbert.report.markup import Markup, joined, tag
from korbert.report.style import LIGHT

WIDTH, NAMES, FIGURES, ROW, TOP, BOTTOM = 480, 204, 74, 15, 4, 38


@dataclass(frozen=True)
class Place:
    """One model's score × 100."""

    model: str
    score: float
    std: float | None = None
    seeds: tuple[float, ...] = ()
    ours: bool = False
    shown: str = ""
    """The figure as its source prints it."""


@dataclass(frozen=True)
class Ranking:
    """All models with a score in one column."""

    title: str
    places: tuple[Place, ...]
    """Best first."""

    @property
    def axis(self) -> Axis:
        """Holds every score, seed and deviation."""
        ends = [p.score + sign * (p.std or 0) for p in self.places for sign in (-1, 1)]
        return axes.covering([*ends, *(seed for p in self.places for seed in p.seeds)], count=5)


def rankings(scores: Sequence[Scored]) -> list[Ranking]:
    """A chart for each column of the published table in which we have a score."""
    found = []
    for column in published.COLUMNS:
        ours = [
            _ours(scored, column)
            for scored in scores
            if comparable(scored) and scored.task == column.task and column.metric in scored.measured
        ]
        theirs = [
            Place(row.model, float(row.figures[column.title]), shown=row.figures[column.title])
            for row in published.rows()
            if column.title in row.figures
        ]
        if ours:
            found.append(Ranking(column.title, tuple(sorted(ours + theirs, key=lambda place: -place.score))))
    return found


def _ours(scored: Scored, column: Column) -> Place:
    measured = scored.measured[column.metric]
    std = None if measured.std is None else 100 * measured.std
    seeds = tuple(100 * value for value in measured.values)
    fewer = trained_on(scored, column.train_rows)
    name = f"{scored.model} ({scored.n_train:,} rows)" if fewer else scored.model
    return Place(name, 100 * measured.mean, std, seeds, ours=True, shown=f"{100 * measured.mean:.2f}")


def svg(chart: Ranking) -> Markup:
    """The chart in the page's colours; ours set off, with its seeds and one deviation to both sides."""
    across, height = chart.axis, len(chart.places) * ROW + TOP + BOTTOM
    grid = [_tick(across, value, height - BOTTOM) for value in across.ticks]
    rows = [_row(place, across, TOP + number * ROW + ROW / 2) for number, place in enumerate(chart.places)]
    label = tag(
        "text", "score × 100", x=(NAMES + WIDTH - FIGURES) / 2, y=height - 6, text_anchor="middle", class_="axis"
    )
    words = "; ".join(f"{place.model} {place.shown}" for place in chart.places)
    return tag(
        "svg", tag("title", chart.title), *grid, *rows, label,
        viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=f"{chart.title}: {words}.",
    )  # fmt: skip


def _x(across: Axis, value: float) -> float:
    return NAMES + across.place(value) * (WIDTH - NAMES - FIGURES)


def _tick(across: Axis, value: float, bottom: float) -> Markup:
    x = f"{_x(across, value):.1f}"
    line = tag("line", x1=x, y1=TOP, x2=x, y2=bottom, class_="grid")
    return joined(line, tag("text", across.label(value), x=x, y=bottom + 15, text_anchor="middle", class_="tick"))


def _row(place: Place, across: Axis, middle: float) -> Markup:
    colour = "accent" if place.ours else "kept"
    look = "tick strong" if place.ours else "tick"
    weight = "bold" if place.ours else None
    parts = [
        tag("text", place.model, x=NAMES - 8, y=middle + 4, text_anchor="end", class_=look, font_weight=weight),
        _spread(place, across, middle),
        *(_dot(across, seed, middle, 2.5, f"seed {colour}") for seed in place.seeds),
        _dot(across, place.score, middle, 4, f"dot {colour}"),
        tag("text", _figure(place), x=WIDTH - 2, y=middle + 4, text_anchor="end", class_=look, font_weight=weight),
    ]
    return tag("g", tag("title", f"{place.model}: {_figure(place)}"), *parts)


def _figure(place: Place) -> str:
    return place.shown if place.std is None else f"{place.shown} ± {place.std:.2f}"


def _spread(place: Place, across: Axis, middle: float) -> Markup | None:
    if not place.std:
        return None
    low, high = (f"{_x(across, place.score + sign * place.std):.1f}" for sign in (-1, 1))
    return tag("line", x1=low, y1=middle, x2=high, y2=middle, class_="spread accent")


def _dot(across: Axis, value: float, middle: float, radius: float, look: str) -> Markup:
    return tag("circle", cx=f"{_x(across, value):.1f}", cy=middle, r=radius, class_=look)


def alone(chart: Ranking) -> str:
    """The chart as a file of its own: its size, its ground and its colours in it."""
    drawing = svg(chart)
    opening, rest = drawing.split(">", 1)
    colours = {"kept": LIGHT["kept"], "accent": LIGHT["accent"], "grid": LIGHT["line"]}
    sheet = f"svg{{background:{LIGHT['card']};font:12px sans-serif}}text{{fill:{LIGHT['soft']}}}" + "".join(
        f".{name}{{fill:{colour};stroke:{colour}}}" for name, colour in colours.items()
    )
    sheet += f".strong{{fill:{LIGHT['ink']}}}.seed{{opacity:.6}}.spread{{stroke-width:6;opacity:.3}}"
    sheet += "text{stroke:none;font-size:11px}"
    name = ' xmlns="http://www.w3.org/2000/svg"'
    return f"{opening}{name}>{tag('style', Markup(sheet))}{rest}\n"
