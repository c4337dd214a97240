"""The SVG places its values where the axes say, and is well-formed XML."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from korbert.report import charts, svg
from korbert.report.read import read
from korbert.report.shapes import Bar, Bars, Curves, DotRow, Dots, Event, Level, Series

HARD = "<script>alert('1')</script> & \"x\""


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(markup)


def curves(*series: Series, **fields: Any) -> Curves:
    return Curves("n", HARD, "x", "y", series, **fields)


def test_a_line_runs_through_its_values() -> None:
    drawing = parsed(svg.curves(curves(Series("a", "run0", (0, 50, 100), (0.0, 1.0, 4.0)))))
    path = next(element for element in drawing.iter("path"))
    places = [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) ([\d.]+)", path.attrib["d"])]
    left, right, top, bottom = svg.LEFT, svg.WIDTH - svg.RIGHT, svg.TOP, svg.HEIGHT - svg.BOTTOM
    expected = [(left, bottom), ((left + right) / 2, bottom - (bottom - top) / 4), (right, top)]
    assert places == [pytest.approx(place, abs=0.1) for place in expected]


def test_every_kind_of_chart_is_well_formed_whatever_its_texts_hold() -> None:
    line = Series(HARD, "run0", (1, 2), (1.0, 2.0))
    dot = Series(HARD, "accent", (1e-4,), (1.0,), points=True, names=(HARD,))
    drawings = [
        svg.curves(curves(line, levels=(Level(1.5, HARD),), events=(Event(1, HARD, "run0"),))),
        svg.curves(curves(dot, x_scale="log")),
        svg.bars(Bars("n", HARD, "articles", (Bar(HARD, 0, 3, "kept"), Bar("b", 3, 0, "removed")), 3, 3)),
        svg.dots(Dots("n", HARD, HARD, (DotRow(HARD, "run0", (0.5, 0.6), 0.55, 0.07, 0.5),))),
    ]
    for drawing in drawings:
        root = parsed(drawing)
        assert not list(root.iter("script"))
        assert root.find("title").text == HARD  # type: ignore[union-attr]
        assert HARD in root.attrib["aria-label"]


def test_a_single_point_is_drawn_as_a_dot() -> None:
    drawing = parsed(svg.curves(curves(Series("a", "run0", (5,), (2.0,)))))
    assert len(list(drawing.iter("circle"))) == 1


def test_the_drawing_says_its_values_in_words(make_run: Any) -> None:
    (run,) = read([make_run()])
    scatter = charts.sweep_charts(run)[0]
    assert "trial 4: 0.72 at 2.13e-4" in svg.describe(scatter)
    bars = charts.funnel_bars(run)
    assert bars is not None
    assert "near duplicate 135" in svg.bars(bars)
