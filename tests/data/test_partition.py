"""Rows to ranks, and a rank's rows to micro-batches."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from korbert.data.partition import micro_batches, share

ROWS = st.lists(st.integers(1, 512), max_size=70)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(1, 9))
def test_every_row_goes_to_one_rank_evenly_in_rows_and_tokens(sizes: list[int], world: int) -> None:
    rows = np.array(sizes, dtype=np.int64)
    shares = [share(rows, rank, world) for rank in range(world)]
    assert sorted(int(row) for mine in shares for row in mine) == list(range(len(sizes)))
    counts = [len(mine) for mine in shares]
    assert max(counts) - min(counts) <= 1
    tokens = [int(rows[mine].sum()) for mine in shares]
    assert max(tokens) - min(tokens) <= max(sizes, default=0)


@settings(max_examples=200, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=5), st.integers(1, 9), st.integers(1, 16))
def test_every_rank_has_as_many_micro_batches_and_none_is_too_large(
    steps: list[list[int]], world: int, most: int
) -> None:
    rows = np.array([len(step) for step in steps])
    counts = []
    for rank in range(world):
        mine = np.array([len(share(np.array(step, dtype=np.int64), rank, world)) for step in steps])
        parts, held = micro_batches(mine, rows, world, most)
        counts.append(parts.tolist())
        begins = np.concatenate([[0], np.cumsum(parts)])
        each = [held[begin:end] for begin, end in itertools.pairwise(begins)]
        assert [int(part.sum()) for part in each] == mine.tolist()
        assert all(part.max() <= most and part.max() - part.min() <= 1 for part in each)
    assert all(parts == counts[0] for parts in counts)


@settings(max_examples=100, deadline=None)
@given(st.lists(ROWS, max_size=5), st.integers(1, 9))
def test_steps_dealt_together_are_dealt_as_each_alone(steps: list[list[int]], world: int) -> None:
    sizes = np.array([tokens for step in steps for tokens in step], dtype=np.int64)
    begins = np.concatenate([[0], np.cumsum([len(step) for step in steps])]).astype(np.int64)
    numbers = np.repeat(np.arange(len(steps)), np.diff(begins))
    for rank in range(world):
        alone = [share(np.array(step, dtype=np.int64), rank, world) for step in steps]
        wanted = [int(row + begin) for rows, begin in zip(alone, begins, strict=False) for row in rows]
        assert share(sizes, rank, world, numbers).tolist() == wanted


def test_a_rank_without_rows_has_an_empty_micro_batch() -> None:
    parts, held = micro_batches(np.array([len(share(np.array([9]), 1, 2))]), np.array([1]), 2, 8)
    assert (parts.tolist(), held.tolist()) == ([1], [0])
