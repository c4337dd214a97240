"""The steps of a training: constant batches, growing ones, and where any step stands."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from korbert.data.order import Permutation
from korbert.data.steps import RAMP_SIZES, Order, Ramp, Short, ramp

# Samples an epoch, full batch, first batch, steps of each size: within an epoch, over several, and none.
CASES = [(53, 8, 2, 1), (53, 8, 1, 30), (200, 16, 4, 3), (7, 16, 1, 5), (64, 8, 8, 0), (1, 2, 1, 3)]


def _order(samples: int, full: int, start: int, steps: int) -> Order:
    sizes = tuple(range(start, full)) if steps else ()
    return Order(samples, full, 1, Ramp(sizes, steps))


@pytest.mark.parametrize("case", CASES)
def test_every_epoch_holds_each_sample_once_whatever_the_batch(case: tuple[int, int, int, int]) -> None:
    order = _order(*case)
    for epoch in range(12):
        ids = [order.ids(step) for step in range(order.first_step(epoch), order.first_step(epoch + 1))]
        assert sorted(np.concatenate(ids)) == list(range(case[0]))


@given(
    samples=st.integers(1, 90),
    start=st.integers(1, 12),
    more=st.integers(1, 12),
    share=st.floats(0.05, 0.9),
    steps=st.integers(1, 120),
    short=st.builds(Short, st.integers(0, 3), st.integers(1, 200)),
)
def test_places_follow_each_other_step_by_step(
    samples: int, start: int, more: int, share: float, steps: int, short: Short
) -> None:
    """The definition, walked from the first step on, beside the table that jumps."""
    full, growth = start + more, ramp(start, start + more, share, steps)
    order, epoch, number, position = Order(samples, full, 1, growth, short), 0, 0, 0
    for step in range(steps + 20):
        grown = step // growth.steps if growth.sizes else 0
        batch = growth.sizes[grown] if grown < len(growth.sizes) else full
        assert order.place(step) == (epoch, number, position, batch)
        assert order.first_step(epoch) + number == step
        number, position = number + 1, position + batch
        if position >= (short.samples if epoch < short.epochs else samples):
            epoch, number, position = epoch + 1, 0, 0


def test_a_ramp_changes_the_cuts_but_not_the_order_of_an_epoch() -> None:
    plain, grown = Order(100, 10, 3), Order(100, 10, 3, Ramp((2, 5), 4))
    for epoch in (0, 1):
        first, second = (
            np.concatenate([order.ids(step) for step in range(order.first_step(epoch), order.first_step(epoch + 1))])
            for order in (plain, grown)
        )
        assert first.tolist() == second.tolist()
    assert [len(grown.ids(step)) for step in range(10)] == [2] * 4 + [5] * 4 + [10] * 2


def test_short_epochs_hold_their_own_samples_once_and_then_come_the_long_ones() -> None:
    order = Order(20, 8, 1, Ramp((2, 5), 3), Short(2, 50))
    for epoch, samples in enumerate((50, 50, 20, 20)):
        ids = [order.ids(step) for step in range(order.first_step(epoch), order.first_step(epoch + 1))]
        assert sorted(np.concatenate(ids)) == list(range(samples))
        assert (order.samples(epoch), order.is_short(epoch)) == (samples, epoch < 2)


def test_a_ramp_ascends_to_the_full_batch_over_its_share_of_the_steps() -> None:
    growth = ramp(32, 256, 0.2, 1000)
    assert growth == Ramp((32, 60, 88, 116, 144, 172, 200, 228), 25)
    assert len(growth.sizes) == RAMP_SIZES
    assert all(a < b for a, b in pairwise((*growth.sizes, 256)))


@pytest.mark.parametrize(("start", "full", "share", "steps"), [(4, 4, 0.5, 100), (1, 8, 0.01, 10), (2, 8, 0.0, 100)])
def test_no_room_to_grow_is_no_ramp(start: int, full: int, share: float, steps: int) -> None:
    assert ramp(start, full, share, steps) == Ramp()


def test_a_short_training_has_a_size_a_step() -> None:
    assert ramp(8, 64, 0.5, 6) == Ramp((8, 26, 45), 1)


def test_the_table_of_a_long_training_is_short_and_its_places_are_known_at_once() -> None:
    order = Order(10**9, 4096, 1, ramp(256, 4096, 0.3, 10_000_000))
    assert len(order._stretches) < 40
    far = order.place(9_999_999)
    assert (far.epoch, far.batch) == (34, 4096)
    assert order.first_step(far.epoch) + far.number == 9_999_999


def test_a_run_of_steps_ends_with_its_epoch_and_holds_what_its_steps_hold() -> None:
    order = Order(100, 8, 3, Ramp((2, 5), 4))
    run = order.run(2, 1000)
    assert [place.epoch for place in run.places] == [0] * (order.first_step(1) - 2)
    assert run.places == [order.place(step) for step in range(2, order.first_step(1))]
    assert run.sizes.tolist() == [len(order.ids(step)) for step in range(2, order.first_step(1))]
    assert run.ids.tolist() == [int(i) for step in range(2, order.first_step(1)) for i in order.ids(step)]


def test_ids_across_computed_blocks_are_those_of_the_permutation(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [Order(100, 8, 3).ids(step).tolist() for step in range(30)]
    monkeypatch.setattr("korbert.data.steps._BLOCK", 5)
    order = Order(100, 8, 3)
    assert [order.ids(step).tolist() for step in reversed(range(30))] == whole[::-1]
    assert [i for ids in whole[:13] for i in ids] == Permutation(100, 3, 0)(np.arange(100)).tolist()
