"""Charts -> PNG by matplotlib (Agg, no display), in the page's light colours."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from korbert.report import numbers
from korbert.report.axes import Axis
from korbert.report.labels import placed
from korbert.report.shapes import Bars, Curves, DotRow, Dots, Series, dot_axis, plot_axes
from korbert.report.style import LIGHT

DPI = 150
NAMED_EVENTS = 6
"""More vertical lines than this have no words beside them."""
# Run names may be Korean; the first of these that is installed draws them.
KOREAN_FONTS = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Apple SD Gothic Neo", "Malgun Gothic")


def curves(charts: Sequence[Curves], title: str) -> bytes:
    """The charts beside each other, two a row (three when they are more than four), under one legend."""
    columns = 3 if len(charts) > 4 else min(2, len(charts))
    rows = -(-len(charts) // columns)
    figure = Figure(figsize=(4.9 * columns, 3.2 * rows + 0.7), dpi=DPI, facecolor=LIGHT["card"], layout="constrained")
    figure.suptitle(plain(title), fontsize=13, fontweight="bold", color=LIGHT["ink"])
    for number, chart in enumerate(charts):
        _curves(figure.add_subplot(rows, columns, number + 1), chart)
    _legend(figure, charts)
    return drawn(figure)


def bars(chart: Bars, title: str) -> bytes:
    """Horizontal bars with counts and shares."""
    figure, axes = _single(title, 8.2, 0.34 * len(chart.bars) + 1.1)
    places = list(range(len(chart.bars)))
    for place, bar in zip(places, chart.bars, strict=True):
        axes.barh(place, chart.whole, color=LIGHT["trough"], height=0.72)
        axes.barh(place, bar.value, left=bar.start, color=LIGHT[bar.colour], height=0.72)
        sign = "−" if bar.colour == "removed" and bar.value else ""
        share = numbers.percent(bar.value, chart.share_of)
        for x, text in ((1.13, sign + numbers.whole(bar.value)), (1.24, share)):
            axes.text(x, place, text, transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=9,
                      color=LIGHT["ink"])  # fmt: skip
    axes.set_yticks(places, [plain(bar.label) for bar in chart.bars])
    axes.invert_yaxis()
    axes.set_xlim(0, chart.whole)
    axes.xaxis.set_major_locator(NullLocator())
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return drawn(figure)


def dots(chart: Dots, title: str) -> bytes:
    """A row a score: each seed, the mean, one deviation to both sides, the baseline."""
    figure, axes = _single(title, 8.2, 0.6 * len(chart.rows) + 1.3)
    for place, row in enumerate(chart.rows):
        _dot_row(axes, place, row)
    axes.set_yticks(range(len(chart.rows)), [plain(row.label) for row in chart.rows])
    axes.set_ylim(len(chart.rows) - 0.5, -0.5)
    across = dot_axis(chart)
    axes.set_xlim(across.low, across.high)
    axes.set_xlabel(plain(f"{chart.x_label}   ({chart.key})"), fontsize=9)
    axes.grid(axis="x", color=LIGHT["line"], linewidth=0.8)
    return drawn(figure)


def plain(text: str) -> str:
    """Text in which matplotlib finds no formula."""
    return text.replace("$", r"\$")


def _dot_row(axes: Axes, place: int, row: DotRow) -> None:
    colour = LIGHT[row.colour]
    if row.baseline is not None:
        axes.plot([row.baseline] * 2, [place - 0.25, place + 0.25], "--", color=LIGHT["muted"], linewidth=1.3)
    if row.mean is not None:
        spread = row.std or 0
        axes.plot([row.mean - spread, row.mean + spread], [place] * 2, color=colour, alpha=0.35, linewidth=5)
        axes.plot([row.mean] * 2, [place - 0.25, place + 0.25], color=colour, linewidth=2)
    axes.plot(row.values, [place] * len(row.values), "o", color=colour, markersize=5, alpha=0.75)


def _curves(axes: Axes, chart: Curves) -> None:
    x, y = plot_axes(chart)
    axes.set_xlim(x.low, x.high)
    for series in chart.series:
        _line(axes, series)
    for place in placed(chart, x, y):
        colour = LIGHT[place.level.colour]
        axes.axhline(place.level.y, linestyle=(0, (5, 4)), color=colour, linewidth=1.1)
        axes.annotate(
            plain(place.level.label), (float(place.right), place.level.y),
            (-3 if place.right else 3, 3 if place.above else -3), xycoords=axes.get_yaxis_transform(),
            textcoords="offset points", ha="right" if place.right else "left",
            va="bottom" if place.above else "top", fontsize=8, color=colour,
        )  # fmt: skip
    for event in chart.events:
        axes.axvline(event.x, linestyle=":", color=LIGHT[event.colour], linewidth=1.2)
        if len(chart.events) <= NAMED_EVENTS:
            axes.annotate(
                plain(event.label.rpartition(": ")[2]), (event.x, 1.0), (2, -2), xycoords=axes.get_xaxis_transform(),
                textcoords="offset points", rotation=90, va="top", fontsize=7, color=LIGHT[event.colour],
            )  # fmt: skip
    axes.set_title(plain(chart.title), fontsize=10.5, loc="left", color=LIGHT["ink"])
    axes.set_xlabel(chart.x_label, fontsize=9)
    axes.set_ylabel(chart.y_label, fontsize=9)
    if x.log:
        axes.set_xscale("log")
    _scale(axes.xaxis, x)
    _scale(axes.yaxis, y)
    axes.set_xlim(x.low, x.high)
    axes.set_ylim(y.low, y.high)
    axes.grid(axis="y", color=LIGHT["line"], linewidth=0.8)
    quiet(axes)


def _line(axes: Axes, series: Series) -> None:
    colour = LIGHT[series.colour]
    if series.points or len(series.x) == 1:
        size = 9 if series.colour == "accent" else 6
        axes.plot(series.x, series.y, "o", color=colour, markersize=size, zorder=3, clip_on=False)
        for name, x, y in zip(series.names if series.labelled else (), series.x, series.y, strict=False):
            # Dots in the right half have their name on the left.
            left = x > sum(axes.get_xlim()) / 2
            axes.annotate(plain(name), (x, y), (-7 if left else 7, 0), textcoords="offset points", fontsize=8,
                          ha="right" if left else "left", va="center", color=colour)  # fmt: skip
        return
    style = (0, (4, 2)) if series.dashed else "-"
    width, alpha = (0.8, 0.35) if series.faint else (1.7, 1.0)
    axes.plot(series.x, series.y, linestyle=style, color=colour, linewidth=width, alpha=alpha)


def _scale(axis: Any, values: Axis) -> None:
    axis.set_major_locator(FixedLocator(list(values.ticks)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: values.label(value)))


def _legend(figure: Figure, charts: Sequence[Curves]) -> None:
    """One entry a label and colour, over all charts; a sweep's many trials keep theirs out."""
    looks: dict[str, Series] = {}
    for chart in charts:
        if chart.x_scale != "epochs":
            looks |= {series.label: series for series in chart.series if not (series.faint or series.labelled)}
    lines = [
        Line2D([], [], color=LIGHT[s.colour], linestyle="" if s.points else "--" if s.dashed else "-",
               marker="o" if s.points else "", linewidth=2)
        for s in looks.values()
    ]  # fmt: skip
    if lines:
        labels = [plain(label) for label in looks]
        figure.legend(lines, labels, loc="outside lower center", ncols=min(4, len(lines)), frameon=False, fontsize=9)


def _single(title: str, width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=LIGHT["card"], layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(plain(title), fontsize=12, loc="left", fontweight="bold", color=LIGHT["ink"])
    quiet(axes)
    return figure, axes


def quiet(axes: Axes) -> None:
    """No frame but the line below, and soft labels."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT["line"])
    axes.tick_params(colors=LIGHT["soft"], labelsize=8.5, length=0)
    axes.xaxis.label.set_color(LIGHT["soft"])
    axes.yaxis.label.set_color(LIGHT["soft"])


def drawn(figure: Figure) -> bytes:
    """The figure's PNG, its texts in fonts that have their letters."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    family = ["DejaVu Sans", *(name for name in KOREAN_FONTS if name in installed)]
    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_fontfamily(family)
    output = io.BytesIO()
    FigureCanvasAgg(figure)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(w_pad=0.14, h_pad=0.12)  # type: ignore[call-arg]
    with warnings.catch_warnings():
        # A Korean run name on a machine without a Korean font becomes boxes; the page beside has it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(output, format="png", metadata={"Software": "korbert"})
    return output.getvalue()
