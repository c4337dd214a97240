"""Steps: the same samples for any number of workers, from any step on."""

import threading
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest

from korbert.config import DataConfig
from korbert.data.loader import AHEAD, Loader, MicroBatch, StepBatch
from korbert.data.masking import MaskRate, masked_count
from korbert.data.samples import Samples
from korbert.data.shards import TokenStore
from korbert.data.steps import Order, Ramp, Short

BATCH = 16


@pytest.fixture
def samples(store: TokenStore) -> Samples:
    return Samples(store, DataConfig(max_tokens=35), seed=1)


def _loader(samples: Samples, rank: int = 0, world: int = 1, rows: int = 3) -> Loader:
    order = Order(len(samples), BATCH, 1)
    return Loader(samples, order, row_tokens=70, rows_per_micro_batch=rows, rank=rank, world=world)


def _contents(batch: StepBatch) -> set[tuple[object, ...]]:
    """Each sample of the batch as the model sees it."""
    found: set[tuple[object, ...]] = set()
    for micro in filter(None, batch.micro_batches):
        offset = 0
        for length, swapped in zip(micro.lengths, micro.swapped, strict=True):
            inside = slice(offset, offset + length)
            chosen = (micro.masked >= offset) & (micro.masked < offset + length)
            assert micro.positions[inside].tolist() == list(range(length))
            masks = tuple(micro.masked[chosen] - offset), tuple(micro.labels[chosen])
            found.add((tuple(micro.tokens[inside]), tuple(micro.segments[inside]), *masks, int(swapped)))
            offset += length
        assert offset == len(micro.tokens)
    return found


def test_an_epoch_holds_every_sample_once_and_its_last_step_is_shorter(samples: Samples) -> None:
    order = Order(len(samples), BATCH, 1)
    assert len(samples) % BATCH
    for epoch in (0, 1):
        steps = [order.ids(step) for step in range(order.first_step(epoch), order.first_step(epoch + 1))]
        assert [len(ids) for ids in steps] == [BATCH] * (len(steps) - 1) + [len(samples) % BATCH]
        assert sorted(np.concatenate(steps)) == list(range(len(samples)))


@pytest.mark.parametrize("world", [2, 3, 7])
def test_any_number_of_workers_trains_on_the_same_step(samples: Samples, world: int) -> None:
    for step in (0, 3, Order(len(samples), BATCH, 1).first_step(1) - 1):
        alone = _loader(samples).batch(step)
        parts = [_loader(samples, rank, world).batch(step) for rank in range(world)]
        assert sorted(i for part in parts for i in part.samples) == sorted(alone.samples)
        assert set.union(*map(_contents, parts)) == _contents(alone)
        assert {(p.global_samples, p.global_tokens, p.global_masked) for p in parts} == {
            (alone.global_samples, alone.global_tokens, alone.global_masked)
        }
        assert len({len(part.micro_batches) for part in parts}) == 1


def test_the_counts_of_a_step_are_those_of_its_arrays(samples: Samples) -> None:
    batch = _loader(samples).batch(2)
    micros = [micro for micro in batch.micro_batches if micro]
    assert batch.global_samples == sum(len(micro.swapped) for micro in micros) == len(batch.samples)
    assert batch.global_tokens == sum(len(micro.tokens) for micro in micros)
    assert batch.global_masked == sum(len(micro.labels) for micro in micros)


def test_the_size_of_micro_batches_changes_no_sample(samples: Samples) -> None:
    assert _contents(_loader(samples, rows=1).batch(1)) == _contents(_loader(samples, rows=50).batch(1))


def test_batches_from_a_later_step_are_those_of_the_whole_run(samples: Samples) -> None:
    whole = [_contents(batch) for batch in _loader(samples).batches(0, 12)]
    resumed = [(batch.step, _contents(batch)) for batch in _loader(samples).batches(7, 12)]
    assert resumed == list(zip(range(7, 12), whole[7:], strict=True))


def _bytes(batch: StepBatch) -> tuple[object, ...]:
    """All of a batch, its arrays to the byte."""

    def inside(micro: MicroBatch) -> tuple[object, ...]:
        arrays = {name: array for name, array in vars(micro).items() if name != "lengths"}
        return micro.lengths, *((name, array.dtype.str, array.tobytes()) for name, array in arrays.items())

    micros = [part and inside(part) for part in batch.micro_batches]
    return (*(value for name, value in vars(batch).items() if name != "micro_batches"), micros)


GROWTH, SHORT = Ramp((3, 7), 5), 2


@pytest.fixture
def changing(store: TokenStore, samples: Samples) -> Callable[[int, int], Loader]:
    """Loaders of a training in which all changes: batches and mask rates grow, the first epochs are short."""
    short = Samples(store, DataConfig(max_tokens=20), seed=1)
    order = Order(len(samples), BATCH, 1, GROWTH, Short(SHORT, len(short)))
    rate = MaskRate(0.1, 0.4, 400)
    return lambda rank, world: Loader(
        samples, order, row_tokens=70, rows_per_micro_batch=3, rank=rank, world=world, mask_rate=rate, short=short
    )


@pytest.mark.parametrize("tokens", [1, 700, 5000, 10**9], ids=str)
@pytest.mark.parametrize(("rank", "world"), [(0, 1), (1, 3), (20, 30)])
def test_batches_are_the_same_to_the_byte_whatever_a_window_holds(
    changing: Callable[[int, int], Loader], monkeypatch: pytest.MonkeyPatch, tokens: int, rank: int, world: int
) -> None:
    loader = changing(rank, world)
    steps = loader._order.first_step(SHORT + 1) + 4
    alone = [_bytes(loader.batch(step)) for step in range(steps)]
    monkeypatch.setattr("korbert.data.loader.WINDOW_TOKENS", tokens)
    sizes = [len(window) for window in loader.windows(0, steps)]
    assert (max(sizes) == 1) == (tokens == 1)
    assert sum(sizes) == steps
    assert [_bytes(batch) for batch in loader.batches(0, steps)] == alone
    for first in (1, 4, loader._order.first_step(SHORT) - 1):
        assert [_bytes(batch) for batch in changing(rank, world).batches(first, first + 9)] == alone[first : first + 9]


def _loader_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "loader"]


def test_windows_are_made_ahead_and_not_without_bound(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("korbert.data.loader.WINDOW_TOKENS", 1)
    loader, made = _loader(samples), []
    second = threading.Event()
    original = loader.window

    def window(first: int, end: int) -> list[StepBatch]:
        made.append(first)
        if first >= AHEAD:
            second.set()
        return original(first, end)

    loader.window = window  # type: ignore[method-assign]
    batches = loader.batches(0, 50)
    next(batches)
    assert second.wait(30)
    assert len(made) <= AHEAD + 2
    batches.close()
    assert not _loader_threads()


def test_training_that_fails_leaves_no_thread_behind(samples: Samples) -> None:
    with pytest.raises(ZeroDivisionError), closing(_loader(samples).batches(0, 10**6)) as batches:
        for batch in batches:
            assert _loader_threads()
            raise ZeroDivisionError(batch.step)
    assert not _loader_threads()


def test_a_fault_of_the_making_is_raised_in_training(samples: Samples, store: TokenStore) -> None:
    loader = _loader(samples)
    samples.shards[:] = 99
    with pytest.raises(IndexError):
        list(loader.batches(0, 3))


def test_a_scheduled_mask_rate_is_a_function_of_the_steps_number_for_any_number_of_workers(samples: Samples) -> None:
    rate, order = MaskRate(0.4, 0.1, 9), Order(len(samples), BATCH, 1)

    def batch(step: int, rank: int = 0, world: int = 1) -> StepBatch:
        loader = Loader(
            samples, order, row_tokens=70, rows_per_micro_batch=3, rank=rank, world=world, mask_rate=rate
        )  # fmt: skip
        return loader.batch(step)

    shares = [batch(step).global_masked / batch(step).global_tokens for step in (0, 4, 8)]
    assert shares[0] > 1.3 * shares[1] > 1.3 * 1.3 * shares[2]
    for step in (0, 4, 8):
        alone, parts = batch(step), [batch(step, rank, 3) for rank in range(3)]
        assert alone.global_masked == masked_count(samples.lengths[order.ids(step)] - 3, rate.at(step)).sum()
        assert sum(len(micro.masked) for micro in alone.micro_batches if micro) == alone.global_masked
        assert set.union(*map(_contents, parts)) == _contents(alone)
