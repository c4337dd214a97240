"""Draws of errors are the same twice, and in the order of the file."""

from korbert.benchmarks.blocks import Item, Listing
from korbert.benchmarks.listings import drawn_listing, measures, two_listings


def rows_of(block: object) -> list[str]:
    assert isinstance(block, Listing)
    return [item.title for item in block.items]


def test_a_draw_is_the_same_twice_and_keeps_the_order() -> None:
    entries = [{"row": row} for row in range(50, 0, -1)]
    first, second = (two_listings(("a", "b"), entries, 5, lambda e: Item(f"{e['row']:02}", ())) for _ in range(2))
    assert first == second
    assert rows_of(first[0]) == ["50", "49", "48", "47", "46"]
    assert rows_of(first[1]) == sorted(rows_of(first[1]))
    items = [Item(f"{n:02}", ()) for n in range(30)]
    assert rows_of(drawn_listing("c", items, 4)) == sorted(rows_of(drawn_listing("c", items, 4)))


def test_fewer_errors_than_asked_for_are_all_shown() -> None:
    (only,) = two_listings(("a", "b"), [{"row": 1}], 5, lambda e: Item("1", ()))
    assert rows_of(only) == ["1"]
    assert len(rows_of(drawn_listing("c", [Item("x", ())], 9))) == 1


def test_measures_of_nothing_are_0() -> None:
    assert measures(0, 0, 0) == (0.0, 0.0, 0.0)
    assert measures(1, 2, 4) == (0.25, 0.5, 2 / 6)
