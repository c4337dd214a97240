"""The charts of `ranking` -> one PNG by matplotlib, in the page's light colours."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from korbert.report.png import DPI, drawn, plain, quiet
from korbert.report.ranking import Place, Ranking
from korbert.report.style import LIGHT


def png(charts: Sequence[Ranking]) -> bytes:
    """All charts, two beside each other; ours set off, with seeds and one deviation to both sides."""
    columns = min(2, len(charts))
    lines = -(-len(charts) // columns)
    longest = max(len(chart.places) for chart in charts)
    size = (5.6 * columns, (0.2 * longest + 0.9) * lines)
    figure = Figure(figsize=size, dpi=DPI, facecolor=LIGHT["card"], layout="constrained")
    for number, chart in enumerate(charts):
        _chart(figure.add_subplot(lines, columns, number + 1), chart)
    return drawn(figure)


def _chart(axes: Axes, chart: Ranking) -> None:
    for line, place in enumerate(chart.places):
        _place(axes, line, place)
    axes.set_yticks(range(len(chart.places)), [plain(place.model) for place in chart.places])
    axes.set_ylim(len(chart.places) - 0.5, -0.5)
    across = chart.axis
    axes.set_xlim(across.low, across.high)
    axes.set_title(plain(f"{chart.title}, score × 100"), fontsize=10.5, loc="left", color=LIGHT["ink"])
    axes.grid(axis="x", color=LIGHT["line"], linewidth=0.8)
    quiet(axes)
    axes.tick_params(labelsize=7.5)
    for label, place in zip(axes.get_yticklabels(), chart.places, strict=True):
        label.set_color(LIGHT["accent"] if place.ours else LIGHT["soft"])
        label.set_fontweight("bold" if place.ours else "normal")


def _place(axes: Axes, line: int, place: Place) -> None:
    colour = LIGHT["accent"] if place.ours else LIGHT["kept"]
    if place.std:
        ends = [place.score - place.std, place.score + place.std]
        axes.plot(ends, [line, line], color=colour, alpha=0.35, linewidth=4)
    axes.plot(place.seeds, [line] * len(place.seeds), "o", color=colour, alpha=0.5, markersize=3)
    axes.plot([place.score], [line], "o", color=colour, markersize=5 if place.ours else 4, zorder=3)
