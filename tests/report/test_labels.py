"""A dashed line's label keeps off the curves and off other labels."""

from __future__ import annotations

import pytest

from korbert.report.labels import Place, placed
from korbert.report.shapes import Curves, Level, Series, plot_axes


def places(ys: tuple[float, ...], *levels: Level) -> list[Place]:
    line = Series("a", "run0", tuple(float(i) for i in range(len(ys))), ys)
    chart = Curves("n", "t", "x", "y", (line,), levels)
    return placed(chart, *plot_axes(chart))


@pytest.mark.parametrize(
    ("ys", "right", "above"),
    [
        ((9.0, 8.8, 8.6, 8.4), True, True),  # nothing near: the first choice
        ((4.0, 9.0, 7.5, 7.1), True, False),  # the curve comes down to the line: below is free
        ((9.0, 4.0, 6.6, 6.9), True, True),  # the curve comes up to it: above is free
    ],
)
def test_the_label_takes_the_first_side_that_no_curve_crosses(ys: tuple[float, ...], right: bool, above: bool) -> None:
    (place,) = places(ys, Level(7.0, "unigram entropy"))
    assert (place.right, place.above) == (right, above)


def test_a_curve_that_swings_around_the_line_at_the_right_sends_the_label_left() -> None:
    (place,) = places((*(9.0,) * 8, *(7.3, 6.7) * 10), Level(7.0, "guess"))
    assert not place.right


def test_labels_of_equal_levels_take_different_places() -> None:
    found = places((9.0, 4.0), Level(6.9, "entropy one"), Level(6.91, "entropy two"), Level(6.92, "entropy three"))
    assert len({(place.right, place.above) for place in found}) == 3
