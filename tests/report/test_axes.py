"""Axes hold their values, with round ticks that differ."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from korbert.report import axes

values = st.lists(st.floats(-1e12, 1e12).filter(lambda v: v == 0 or abs(v) > 1e-6), min_size=1, max_size=20)


@settings(max_examples=200)
@given(values)
def test_a_linear_axis_holds_every_value_between_its_ends(found: list[float]) -> None:
    axis = axes.covering(found)
    assert axis.low < axis.high
    assert all(-1e-6 <= axis.place(value) <= 1 + 1e-6 for value in found)
    assert 2 <= len(axis.ticks) <= 9


@pytest.mark.parametrize("found", [[0.612, 0.693], [8800, 9400], [0.5, 0.7355], [1e-7, 3e-7], [4.2, 9.1], [0, 32]])
def test_the_labels_of_an_axis_differ(found: list[float]) -> None:
    axis = axes.covering(found)
    labels = [axis.label(tick) for tick in axis.ticks]
    assert len(set(labels)) == len(labels)


@settings(max_examples=200)
@given(st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=20))
def test_a_logarithmic_axis_holds_every_value_strictly_inside(found: list[float]) -> None:
    axis = axes.logarithmic(found)
    assert all(0 < axis.place(value) < 1 for value in found)
    assert axis.ticks
    assert all(0 <= axis.place(tick) <= 1 for tick in axis.ticks)


@pytest.mark.parametrize("build", [axes.covering, axes.from_zero, axes.logarithmic, axes.counting, axes.years])
@pytest.mark.parametrize("found", [[], [0.0], [3.0], [3.0, 3.0]])
def test_no_values_or_one_make_a_usable_axis(build: axes.Axis, found: list[float]) -> None:
    axis = build(found)  # type: ignore[operator]
    assert axis.low < axis.high
    assert all(0 <= axis.place(tick) <= 1 for tick in axis.ticks)


def test_an_axis_of_steps_runs_from_zero_to_the_last_step() -> None:
    axis = axes.from_zero([37, 613])
    assert (axis.low, axis.high, axis.ticks) == (0, 613, (0, 200, 400, 600))


def test_years_have_no_thousands_separator() -> None:
    axis = axes.years([2016.0, 2023.92])
    assert (axis.label(axis.ticks[0]), axis.ticks[-1]) == ("2016", 2024)
