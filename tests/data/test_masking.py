"""Which tokens are predicted, and what stands in their place."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from korbert.config import DataConfig
from korbert.data.masking import Corruption, choose, masked_count
from korbert.data.shards import Special

SPECIAL = Special(pad=0, unk=1, cls=2, sep=3, mask=4)


def _raw(n: int, seed: int = 0) -> np.ndarray:
    return np.random.Philox(seed).random_raw(n)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=80), st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_exactly_the_asked_count_is_chosen_and_at_most_one_word_is_cut(
    flags: list[bool], rate: float, seed: int
) -> None:
    starts = np.array(flags)
    count = int(masked_count(np.array([len(starts)]), rate)[0])
    chosen = choose(starts, count, _raw(len(starts), seed))
    assert len(chosen) == len(set(chosen)) == count
    assert list(chosen) == sorted(chosen)
    assert chosen[0] >= 0
    assert chosen[-1] < len(starts)
    starts[0] = True
    word = np.cumsum(starts) - 1
    partly = [w for w in set(word[chosen]) if set(np.flatnonzero(word == w)) - set(chosen)]
    assert len(partly) <= 1


def test_whole_words_are_chosen_where_they_fit() -> None:
    starts = np.array([True, False] * 50)
    for seed in range(50):
        chosen = choose(starts, 30, _raw(100, seed))
        assert list(chosen[1::2]) == list(chosen[::2] + 1)


def test_a_word_too_long_for_what_is_left_is_passed_over() -> None:
    """One word of nine tokens, one of one: one token is wanted, and only the short word can give it whole."""
    starts = np.array([True] + [False] * 8 + [True])
    assert {tuple(choose(starts, 1, _raw(10, seed))) for seed in range(20)} == {(9,)}


def test_a_lone_long_word_gives_its_first_tokens() -> None:
    assert list(choose(np.array([True] + [False] * 9), 2, _raw(10))) == [0, 1]


def test_every_word_is_chosen_about_equally_often() -> None:
    starts = np.ones(20, dtype=bool)
    hits = np.bincount(np.concatenate([choose(starts, 4, _raw(20, seed)) for seed in range(2000)]), minlength=20)
    # Binomial(2000, 0.2): mean 400, standard deviation 18.
    assert abs(hits - 400).max() < 90


def test_the_count_is_the_rounded_share_and_at_least_one() -> None:
    assert list(masked_count(np.array([1, 3, 10, 100, 509]), 0.15)) == [1, 1, 2, 15, 76]


def test_of_chosen_tokens_80_10_10_are_masked_replaced_and_kept() -> None:
    n = 20_000
    originals = np.full(n, 77)
    corruption = Corruption.of(DataConfig(keep_rate=0.1, random_rate=0.1), 1000, SPECIAL)
    seen = corruption.apply(originals, _raw(n, 1), _raw(n, 2))
    # Standard deviation of the shares: 0.003 and 0.002.
    assert abs((seen == SPECIAL.mask).mean() - 0.8) < 0.015
    assert abs((seen == 77).mean() - 0.1) < 0.011
    replaced = seen[(seen != SPECIAL.mask) & (seen != 77)]
    assert replaced.min() >= 5
    assert len(set(replaced)) > 700


def test_rates_of_one_and_zero_are_exact() -> None:
    originals = np.arange(5, 105)
    keep = Corruption.of(DataConfig(keep_rate=1.0, random_rate=0.0), 200, SPECIAL)
    assert list(keep.apply(originals, _raw(100, 1), _raw(100, 2))) == list(originals)
    mask = Corruption.of(DataConfig(keep_rate=0.0, random_rate=0.0), 200, SPECIAL)
    assert set(mask.apply(originals, _raw(100, 1), _raw(100, 2))) == {SPECIAL.mask}


def test_a_random_token_is_never_special_wherever_the_special_ids_lie() -> None:
    special = Special(pad=0, unk=50, cls=7, sep=99, mask=31)
    corruption = Corruption.of(DataConfig(keep_rate=0.0, random_rate=1.0), 100, special)
    seen = corruption.apply(np.full(5000, 60), _raw(5000, 1), _raw(5000, 2))
    assert set(seen) == set(range(100)) - {0, 50, 7, 99, 31}
