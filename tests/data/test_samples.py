"""Samples: nothing of the corpus is lost, and each is a pure function of seed, epoch and id."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from korbert.config import DataConfig
from korbert.data.samples import Sample, Samples
from korbert.data.shard_writer import write_store
from korbert.data.shards import Sentence, TokenStore
from korbert.errors import UsageError

CONFIG = DataConfig(max_tokens=35, short_probability=0.3)
BUDGET = CONFIG.max_tokens - 3
# Lengths of sentences, empty ones and ones over the budget among them; some documents have none.
DOCUMENTS = st.lists(st.lists(st.integers(0, 70), max_size=12), min_size=1, max_size=12)


def _original(sample: Sample) -> tuple[list[int], list[int]]:
    """First and second segment in the text's order, the masks undone."""
    tokens = sample.tokens.copy()
    tokens[sample.masked] = sample.labels
    first, second = list(tokens[sample.segments == 0][1:-1]), list(tokens[sample.segments == 1][:-1])
    return (second, first) if sample.swapped else (first, second)


def test_every_token_of_the_store_is_in_exactly_one_sample(store: TokenStore) -> None:
    samples = Samples(store, CONFIG, seed=1)
    for number, shard in enumerate(store.shards):
        mine = samples.shards == number
        begins, ends = samples.begins[mine], samples.ends[mine]
        assert list(begins) == [0, *ends[:-1]]
        assert ends[-1] == store.counts[number].tokens
        parts = [part for sample in np.flatnonzero(mine) for part in _original(samples.draw(3, sample))]
        assert [token for part in parts for token in part] == list(shard.tokens(0, store.counts[number].tokens))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOCUMENTS, st.floats(0, 1), st.integers(0, 99))
def test_samples_cover_any_corpus_fit_the_budget_and_stay_inside_documents(
    make_store: Any, documents: list[list[int]], short: float, seed: int
) -> None:
    store = make_store(documents)
    if not store.tokens:
        with pytest.raises(UsageError, match="no token"):
            Samples(store, CONFIG, seed)
        return
    samples = Samples(store, DataConfig(max_tokens=35, short_probability=short), seed)
    assert samples.begins[0] == 0
    assert list(samples.begins[1:]) == list(samples.ends[:-1])
    assert samples.ends[-1] == store.tokens
    sizes = samples.ends - samples.begins
    assert sizes.min() >= 1
    assert sizes.max() <= BUDGET
    document_ends = np.cumsum([sum(lengths) for lengths in documents])
    assert set(document_ends[document_ends > 0]) <= set(samples.ends)


def test_sentences_end_where_samples_end_unless_one_is_longer_than_the_budget(make_store: Any) -> None:
    store = make_store([[10, 12, 8, 20, 5], [50, 4]])
    samples = Samples(store, DataConfig(max_tokens=35, short_probability=0.0), seed=1)
    sentence_ends = {10, 22, 30, 50, 55, 105, 109}
    inside_long = [end for end in samples.ends if end not in sentence_ends]
    assert len(inside_long) == 1
    assert 55 < inside_long[0] <= 55 + BUDGET
    assert store.shards[0].starts(inside_long[0], inside_long[0] + 1)[0]
    assert {30, 55, 109} <= set(samples.ends)


def test_a_word_longer_than_the_budget_is_cut_all_the_same(tmp_path: Path, make_store: Any) -> None:
    store = make_store([[5]])

    lone = Sentence(np.full(100, 9, dtype=np.uint16), np.array([True] + [False] * 99))
    folder = tmp_path / "lone"
    folder.mkdir()
    write_store(folder, [[lone]], vocab_size=300, special=store.special, shard_tokens=10**9)
    samples = Samples(TokenStore(folder), CONFIG, seed=1)
    assert list(samples.ends) == [32, 64, 96, 100]


def test_a_last_lone_sentence_takes_one_from_the_sample_before(make_store: Any) -> None:
    samples = Samples(make_store([[10, 10, 10, 6]]), DataConfig(max_tokens=35, short_probability=0.0), seed=1)
    assert list(samples.ends) == [20, 36]


def test_short_documents_aim_lower_but_keep_two_sentences(make_store: Any) -> None:
    documents = [[6] * 40 for _ in range(60)]
    long = Samples(make_store(documents), DataConfig(max_tokens=35, short_probability=0.0), seed=1)
    short = Samples(make_store(documents), DataConfig(max_tokens=35, short_probability=1.0), seed=1)
    assert set(long.lengths - 3) == {30}
    assert short.lengths.mean() < long.lengths.mean()
    assert (short.lengths - 3).min() == 12


def test_a_split_is_a_sentence_end_where_one_is_inside(store: TokenStore) -> None:
    samples = Samples(store, CONFIG, seed=1)
    checked = 0
    for sample in range(len(samples)):
        shard = store.shards[samples.shards[sample]]
        begin, end = samples.begins[sample], samples.ends[sample]
        inner = [e for e in shard.sentence_ends if begin < e < end]
        split = begin + len(_original(samples.draw(0, sample))[0])
        if inner:
            checked += 1
            assert split in inner
        elif shard.starts(begin + 1, end).any():
            assert shard.starts(split, split + 1)[0]
    assert checked > 50


def test_a_sample_of_one_token_is_legal_both_ways_round(make_store: Any) -> None:
    samples = Samples(make_store([[1]]), CONFIG, seed=1)
    drawn = [samples.draw(epoch, 0) for epoch in range(30)]
    assert {sample.swapped for sample in drawn} == {0, 1}
    for sample in drawn:
        assert len(sample.tokens) == 4
        assert [len(part) for part in _original(sample)] == [1, 0]
        assert len(sample.masked) == 1


def test_a_sample_is_cls_a_sep_b_sep_and_no_special_token_is_predicted(store: TokenStore) -> None:
    samples = Samples(store, CONFIG, seed=1)
    for number in range(len(samples)):
        sample = samples.draw(1, number)
        seps = [int(np.flatnonzero(sample.segments == 0)[-1]), len(sample.tokens) - 1]
        assert sample.tokens[0] == store.special.cls
        assert [int(sample.tokens[i]) for i in seps] == [store.special.sep] * 2
        assert not {0, *seps} & set(sample.masked.tolist())
        assert list(sample.segments) == sorted(sample.segments)
        assert len(sample.tokens) == samples.lengths[number]
        assert len(sample.masked) == samples.masked_counts(np.array([number]))[0]


def test_a_sample_is_the_same_whenever_and_wherever_it_is_drawn(store: TokenStore) -> None:
    one, other = Samples(store, CONFIG, seed=1), Samples(store, CONFIG, seed=1)
    for number in (0, 5, 17):
        other.draw(9, number + 1)
        first, second = one.draw(2, number), other.draw(2, number)
        assert first.tokens.tolist() == second.tokens.tolist()
        assert first.masked.tolist() == second.masked.tolist()
        assert first.swapped == second.swapped


def test_epochs_and_seeds_mask_and_swap_anew_but_cut_alike(store: TokenStore) -> None:
    samples = Samples(store, CONFIG, seed=1)
    masks = [tuple(samples.draw(epoch, 4).masked) for epoch in range(20)]
    assert len(set(masks)) > 5
    assert 5 < sum(samples.draw(epoch, 4).swapped for epoch in range(40)) < 35
    other = Samples(store, CONFIG, seed=2)
    differing = [tuple(samples.draw(0, i).masked) != tuple(other.draw(0, i).masked) for i in range(10)]
    assert any(differing)


def test_masks_take_whole_words_by_the_stored_word_starts(make_store: Any) -> None:
    samples = Samples(make_store([[15, 15]]), DataConfig(max_tokens=35, short_probability=0.0, mask_rate=0.3), seed=1)
    single = Samples(
        make_store([[15, 15]]),
        DataConfig(max_tokens=35, short_probability=0.0, mask_rate=0.3, whole_words=False),
        seed=1,
    )
    neighbours = [
        [int((np.diff(kind.draw(epoch, 0).masked) == 1).sum()) for epoch in range(60)] for kind in (samples, single)
    ]
    assert sum(neighbours[0]) > 1.3 * sum(neighbours[1])


def _units(store: TokenStore, samples: Samples, epoch: int, number: int) -> tuple[list[int], list[int]]:
    """Sizes of a sample's morphemes, a segment's start among their starts, and how many tokens of each are masked."""
    begin, end = int(samples.begins[number]), int(samples.ends[number])
    bits = store.shards[samples.shards[number]].morphemes
    assert bits is not None
    starts, sample = bits.between(begin, end), samples.draw(epoch, number)
    places = np.flatnonzero(~np.isin(sample.tokens, [store.special.cls, store.special.sep]))
    masked = np.isin(places, sample.masked)
    first = int((sample.segments == 0).sum()) - 2
    split = len(places) - first if sample.swapped else first
    # Back into the document's order.
    masked = np.roll(masked, split) if sample.swapped else masked
    starts[[0, split % len(places)]] = True
    owners = np.cumsum(starts) - 1
    return np.bincount(owners).tolist(), np.bincount(owners, masked).astype(int).tolist()


@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_morphemes_are_masked_whole_and_as_many_tokens_as_by_eojeol(make_store: Any, rate: float) -> None:
    store = make_store([[9, 14, 3], [30], [4, 4, 4, 4]] * 8, morphemes=True)
    by_word = Samples(store, DataConfig(max_tokens=35, mask_rate=rate), seed=1)
    samples = Samples(store, DataConfig(max_tokens=35, mask_rate=rate, mask_unit="morpheme"), seed=1)
    differing = 0
    for number in range(len(samples)):
        for epoch in range(4):
            sizes, hidden = _units(store, samples, epoch, number)
            wanted = max(1, round(sum(sizes) * rate))
            assert sum(hidden) == wanted == len(by_word.draw(epoch, number).masked)
            # One at most gives its leading tokens only: where none that is left fits the count.
            broken = [place for place, size in enumerate(sizes) if 0 < hidden[place] < size]
            assert len(broken) <= 1
            untouched = [size for size, count in zip(sizes, hidden, strict=True) if not count]
            assert not broken or min(untouched, default=99) > hidden[broken[0]]
            differing += by_word.draw(epoch, number).masked.tolist() != samples.draw(epoch, number).masked.tolist()
    assert differing > len(samples)


def test_masks_by_morpheme_want_their_starts_in_the_store(store: TokenStore) -> None:
    with pytest.raises(UsageError, match=r"data.mask_unit = 'morpheme': .*run: korbert run --from tokens"):
        Samples(store, DataConfig(max_tokens=35, mask_unit="morpheme"), seed=1)
