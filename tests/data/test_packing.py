"""Packing samples into rows."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from korbert.data.packing import pack, row_order


def _rows(lengths: list[int], row_tokens: int = 64) -> list[list[int]]:
    """Samples row by row."""
    sizes = np.array(lengths, dtype=np.int64)
    row_of = pack(sizes, row_tokens)
    rows: list[list[int]] = [[] for _ in range(max(row_of, default=-1) + 1)]
    for index in row_order(row_of, sizes).tolist():
        rows[row_of[index]].append(index)
    return rows


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 64), max_size=60))
def test_every_sample_is_in_one_row_and_no_row_is_too_long(lengths: list[int]) -> None:
    rows = _rows(lengths)
    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))
    assert all(sum(lengths[index] for index in row) <= 64 for row in rows)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 64), min_size=1, max_size=60))
def test_at_most_one_row_is_half_empty(lengths: list[int]) -> None:
    """First fit never opens a row while another has room; so two rows together hold more than one row's length."""
    fills = sorted(sum(lengths[index] for index in row) for row in _rows(lengths))
    assert all(first + second > 64 for first, second in itertools.pairwise(fills))


def test_a_known_step_is_packed_perfectly() -> None:
    assert _rows([20, 64, 44, 30, 34]) == [[1], [2, 0], [4, 3]]


def test_equal_lengths_keep_the_order_of_the_step() -> None:
    assert _rows([32, 32, 32, 32, 32]) == [[0, 1], [2, 3], [4]]


@settings(max_examples=100)
@given(st.lists(st.integers(1, 64), max_size=60))
def test_a_sample_goes_where_it_leaves_the_least_room(lengths: list[int]) -> None:
    rows = _rows(lengths)
    row_of = {index: number for number, row in enumerate(rows) for index in row}
    room = [64] * len(rows)
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        fitting = [left for left in room if left >= lengths[index]]
        assert room[row_of[index]] == min(fitting)
        room[row_of[index]] -= lengths[index]


def test_rows_filled_as_by_hand_with_the_tightest_fit_first() -> None:
    """First-fit would put the 30 beside the 20 of row 1; it fits exactly beside the 34 of row 2."""
    assert _rows([44, 34, 30, 10]) == [[0, 3], [1, 2]]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(1, 64), min_size=1, max_size=20), max_size=6))
def test_steps_packed_together_have_the_rows_of_each_packed_alone(steps: list[list[int]]) -> None:
    together = np.array([length for step in steps for length in step], dtype=np.int64)
    found = pack(together, 64, np.repeat(np.arange(len(steps)), [len(step) for step in steps])).tolist()
    wanted, rows = [], 0
    for step in steps:
        alone = pack(np.array(step), 64)
        wanted += (alone + rows).tolist()
        rows += int(alone.max()) + 1
    assert found == wanted
