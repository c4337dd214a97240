"""Steps dealt together are those dealt alone, on every rank."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from korbert.data.dealing import deal

STEPS = st.lists(st.lists(st.integers(1, 64), min_size=1, max_size=30), min_size=1, max_size=5)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 7), st.integers(1, 4))
def test_every_sample_is_dealt_to_one_rank_and_into_a_micro_batch_of_its_step(
    steps: list[list[int]], world: int, rows: int
) -> None:
    sizes = np.array([len(step) for step in steps])
    lengths = np.array([length for step in steps for length in step])
    step_of = np.repeat(np.arange(len(steps)), sizes)
    dealt = [deal(lengths, sizes, 64, rows, rank, world) for rank in range(world)]
    assert sorted(int(i) for part in dealt for i in part.samples) == list(range(len(lengths)))
    for part in dealt:
        assert part.parts.tolist() == dealt[0].parts.tolist()
        owners = np.repeat(np.arange(len(steps)), part.parts)
        for owner, (begin, end) in zip(owners, itertools.pairwise(part.bounds), strict=True):
            held = part.samples[begin:end]
            assert set(step_of[held]) <= {owner}
            assert lengths[held].sum() <= rows * 64


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 7), st.integers(1, 4))
def test_steps_dealt_together_are_dealt_as_each_alone(steps: list[list[int]], world: int, rows: int) -> None:
    sizes = np.array([len(step) for step in steps])
    lengths = np.array([length for step in steps for length in step])
    for rank in range(world):
        together = deal(lengths, sizes, 64, rows, rank, world)
        found, sample, part = [], 0, 0
        for step in steps:
            alone = deal(np.array(step), np.array([len(step)]), 64, rows, rank, world)
            assert together.parts[len(found)] == alone.parts[0]
            bounds = together.bounds[part : part + int(alone.parts[0]) + 1]
            assert (bounds - bounds[0]).tolist() == alone.bounds.tolist()
            found.append(together.samples[bounds[0] : bounds[-1]] - sample)
            assert found[-1].tolist() == alone.samples.tolist()
            sample, part = sample + len(step), part + int(alone.parts[0])
