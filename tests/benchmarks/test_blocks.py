"""The best and the second of a column."""

from korbert.benchmarks.blocks import Cell, ranked


def test_equal_values_share_their_mark_and_the_next_value_is_second() -> None:
    cells = ranked([Cell("95.78", 95.78), Cell("–"), Cell("95.77", 95.77), Cell("95.78", 95.78), Cell("1", 1.0)])
    assert [cell.mark for cell in cells] == ["best", "", "second", "best", ""]


def test_a_column_without_figures_has_no_best() -> None:
    assert [cell.mark for cell in ranked([Cell("–"), Cell("–")])] == ["", ""]


def test_one_figure_alone_is_the_best_and_keeps_its_note() -> None:
    assert ranked([Cell("81.00", 81.0, note="n=1")]) == [Cell("81.00", 81.0, "best", "n=1")]
