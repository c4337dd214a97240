"""Rows to ranks, and a rank's rows to micro-batches."""

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
    assert sorted(row for mine in shares for row in mine) == list(range(len(sizes)))
    counts = [len(mine) for mine in shares]
    assert max(counts) - min(counts) <= 1
    tokens = [int(rows[mine].sum()) for mine in shares]
    assert max(tokens) - min(tokens) <= max(sizes, default=0)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(1, 9), st.integers(1, 16))
def test_every_rank_has_as_many_micro_batches_and_none_is_too_large(sizes: list[int], world: int, most: int) -> None:
    rows = np.array(sizes, dtype=np.int64)
    shares = [share(rows, rank, world) for rank in range(world)]
    batches = [micro_batches(mine, len(sizes), world, most) for mine in shares]
    assert len({len(parts) for parts in batches}) == 1
    for mine, parts in zip(shares, batches, strict=True):
        assert [row for part in parts for row in part] == mine
        assert max(len(part) for part in parts) <= most


def test_a_rank_without_rows_has_an_empty_micro_batch() -> None:
    assert micro_batches(share(np.array([9]), 1, 2), 1, 2, 8) == [[]]
