"""Rows are divided without overlap or loss, stratified, and the same for everybody with the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from korbert.benchmarks.split import drawn, held_out, held_out_groups, shares
from korbert.errors import UsageError


def labels(zeros: int, ones: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(np.repeat([0, 1], [zeros, ones]))


@given(st.integers(2, 300), st.integers(2, 300), st.floats(0.01, 0.99))
def test_every_row_is_in_exactly_one_part_and_every_label_in_both(zeros: int, ones: int, share: float) -> None:
    given_labels = labels(zeros, ones)
    training, validation = held_out(given_labels, share)
    assert sorted([*training, *validation]) == list(range(zeros + ones))
    assert set(given_labels[training]) == set(given_labels[validation]) == {0, 1}


def test_the_held_out_share_keeps_the_labels_proportion() -> None:
    given_labels = labels(900, 300)
    _, validation = held_out(given_labels, 0.1)
    assert np.bincount(given_labels[validation]).tolist() == [90, 30]


def test_held_out_rows_are_not_the_first_ones_and_never_change() -> None:
    _, validation = held_out(labels(500, 500), 0.1)
    assert validation.tolist() == held_out(labels(500, 500), 0.1)[1].tolist()
    assert validation.max() > 500


def test_one_label_alone_cannot_be_learned() -> None:
    with pytest.raises(UsageError, match="all 5 have label 1"):
        held_out(np.ones(5, dtype=np.int64), 0.1)


def test_a_label_with_a_single_row_cannot_be_divided() -> None:
    with pytest.raises(UsageError, match="label 0 has a single row"):
        held_out(labels(1, 9), 0.1)


@pytest.mark.parametrize("limit", [0, 100, 101])
def test_a_limit_that_is_none_draws_all_rows(limit: int) -> None:
    rows = np.arange(100)
    assert drawn(rows, labels(50, 50), limit, 1).tolist() == rows.tolist()


def test_a_limit_draws_exactly_so_many_in_the_labels_proportion() -> None:
    given_labels = labels(750, 250)
    rows = np.flatnonzero(np.arange(1000) % 2)
    chosen = drawn(rows, given_labels, 40, seed=1)
    assert len(set(chosen)) == 40
    assert set(chosen) <= set(rows)
    assert abs(given_labels[chosen].sum() - 40 * given_labels[rows].mean()) < 1


def test_another_seed_draws_other_rows_and_the_same_seed_the_same() -> None:
    rows, given_labels = np.arange(1000), labels(500, 500)
    assert drawn(rows, given_labels, 50, 1).tolist() == drawn(rows, given_labels, 50, 1).tolist()
    assert drawn(rows, given_labels, 50, 1).tolist() != drawn(rows, given_labels, 50, 2).tolist()


@given(st.lists(st.integers(1, 500), min_size=1, max_size=6), st.data())
def test_shares_sum_to_the_limit_and_none_passes_its_size(sizes: list[int], data: st.DataObject) -> None:
    limit = data.draw(st.integers(1, sum(sizes)))
    quotas = shares(sizes, limit)
    assert sum(quotas) == limit
    assert all(0 <= quota <= size for quota, size in zip(quotas, sizes, strict=True))
    assert min(quotas) > 0 or limit < len(sizes)


@given(st.lists(st.sampled_from("가나다라마바사"), min_size=2, max_size=80), st.floats(0.01, 0.99))
def test_no_group_is_on_both_sides_and_none_is_lost(groups: list[str], share: float) -> None:
    if len(set(groups)) < 2:
        with pytest.raises(UsageError, match="are on one text"):
            held_out_groups(groups, share)
        return
    training, validation = held_out_groups(groups, share)
    assert sorted([*training, *validation]) == list(range(len(groups)))
    trained, chosen_by = {groups[n] for n in training}, {groups[n] for n in validation}
    assert trained
    assert chosen_by
    assert not trained & chosen_by


def test_held_out_groups_make_up_their_share_and_are_always_the_same() -> None:
    groups = [f"글 {number // 3}" for number in range(900)]
    training, validation = held_out_groups(groups, 0.1)
    assert 90 <= len(validation) < 93
    assert np.array_equal(validation, held_out_groups(groups, 0.1)[1])
    assert len(training) == 900 - len(validation)
