"""Batches hold every row once with little padding, in an order that seed and epoch alone decide."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from korbert.benchmarks import batches
from korbert.benchmarks.batches import EncodedRows, encoded, evaluation_batches, packed, padding, training_batches
from korbert.benchmarks.tokens import load_tokenizer

ROW_LENGTHS = st.lists(st.integers(1, 128), min_size=1, max_size=400).map(lambda values: np.asarray(values))


def rows_of(*lengths: int) -> EncodedRows:
    """Rows whose token ids are 10, 11, 12, ... throughout."""
    tokens = np.arange(10, 10 + sum(lengths), dtype=np.int32)
    return packed(np.split(tokens, np.cumsum(lengths)[:-1]), np.arange(len(lengths)))


@given(ROW_LENGTHS, st.integers(1, 50), st.integers(0, 5), st.integers(1, 3))
def test_an_epoch_covers_each_row_exactly_once(lengths: np.ndarray, size: int, seed: int, epoch: int) -> None:
    cut = training_batches(lengths, size, seed, epoch)
    assert sorted(np.concatenate(cut)) == list(range(len(lengths)))
    assert sorted(len(batch) for batch in cut)[1:] == [size] * (len(cut) - 1)


@given(ROW_LENGTHS)
def test_evaluation_covers_each_row_exactly_once_within_its_bounds(lengths: np.ndarray) -> None:
    cut = list(evaluation_batches(lengths))
    assert sorted(np.concatenate(cut)) == list(range(len(lengths)))
    for batch in cut:
        assert len(batch) <= batches.EVALUATION_ROWS
        assert len(batch) * lengths[batch].max() <= batches.EVALUATION_TOKENS or len(batch) == 1


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    lengths = np.random.default_rng(0).integers(3, 60, 1000)

    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(training_batches(lengths, 32, seed, epoch)).tolist()

    assert order(1, 1) == order(1, 1)
    assert len({tuple(order(seed, epoch)) for seed in (1, 2) for epoch in (1, 2)}) == 4


def test_length_buckets_leave_hardly_any_padding() -> None:
    lengths = np.random.default_rng(0).geometric(0.06, 20_000).clip(2, 128)
    random_order = np.random.default_rng(1).permutation(20_000)
    plain = padding(lengths, np.split(random_order, 625))
    assert plain > 0.5
    assert padding(lengths, training_batches(lengths, 32, 1, 1)) < 0.1
    assert padding(lengths, list(evaluation_batches(lengths))) < 0.03


def test_batches_do_not_come_in_order_of_length() -> None:
    lengths = np.repeat(np.arange(1, 65), 32)
    firsts = [int(lengths[batch[0]]) for batch in training_batches(lengths, 32, 1, 1)]
    assert sorted(firsts) == list(range(1, 65))
    assert firsts != sorted(firsts)


def test_a_batch_is_padded_to_its_longest_row() -> None:
    ids, mask = rows_of(2, 3, 1).padded(np.array([1, 2]), pad=0)
    assert ids.tolist() == [[12, 13, 14], [15, 0, 0]]
    assert mask is not None
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_rows_of_one_length_need_no_mask() -> None:
    ids, mask = rows_of(2, 2).padded(np.array([1, 0]), pad=0)
    assert ids.tolist() == [[12, 13], [10, 11]]
    assert mask is None


@given(ROW_LENGTHS)
def test_lengths_are_those_of_the_rows_asked_for(lengths: np.ndarray) -> None:
    rows, numbers = rows_of(*lengths), np.random.default_rng(0).permutation(len(lengths))
    assert rows.lengths_of(numbers).tolist() == rows.lengths[numbers].tolist() == lengths[numbers].tolist()


def test_taken_rows_keep_tokens_and_labels() -> None:
    taken = rows_of(2, 3, 1).take(np.array([2, 0]))
    assert [taken.row(0).tolist(), taken.row(1).tolist()] == [[15], [10, 11]]
    assert taken.labels.tolist() == [2, 0]
    assert taken.lengths.tolist() == [1, 2]


def test_long_texts_are_cut_and_counted_and_keep_their_end_token(encoder: Path) -> None:
    tokenizer = load_tokenizer(encoder)
    long = "정말 재미있는 영화 " * 30
    rows, cut = encoded([long, "", "영화"], np.array([1, 0, 1]), tokenizer, 16)
    assert cut == 1
    assert len(rows.row(0)) == 16
    assert rows.row(0).tolist()[:15] == next(tokenizer.ids([long]))[:15]
    assert rows.row(0)[-1] == next(tokenizer.ids([long]))[-1]
    assert rows.row(1).tolist() == [rows.row(0)[0], rows.row(0)[-1]]
    assert rows.row(2).tolist() == next(tokenizer.ids(["영화"]))


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_texts_encode_the_same_however_many_at_once(encoder: Path, at_once: int) -> None:
    texts, labels = ["하나", "", "둘 둘", "영화가 좋았다", "!!"], np.arange(5)
    whole, _ = encoded(texts, labels, load_tokenizer(encoder), 32)
    parts, _ = encoded(texts, labels, load_tokenizer(encoder, at_once), 32)
    assert whole.tokens.tolist() == parts.tokens.tolist()
    assert whole.ends.tolist() == parts.ends.tolist()
