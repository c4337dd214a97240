"""Samples drawn together are those drawn alone, by a definition written down slowly here: a token at a time."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from korbert.config import DataConfig
from korbert.data.draws import FATE, REPLACEMENT, SPAN, SPLIT, SWAP, WORD
from korbert.data.order import fold, mix64
from korbert.data.samples import Sample, Samples
from korbert.data.shard_writer import write_store
from korbert.data.shards import Sentence, Special, TokenStore

SEED = 1
CONFIGS = [
    DataConfig(max_tokens=35, short_probability=0.3),
    DataConfig(max_tokens=35, mask_rate=0.4, ngram=3),
    DataConfig(max_tokens=35, mask_rate=0.3, whole_words=False),
    DataConfig(max_tokens=35, mask_rate=0.3, whole_words=False, ngram=4, keep_rate=0.5, random_rate=0.5),
    DataConfig(max_tokens=35, mask_rate=0.3, mask_unit="morpheme"),
    DataConfig(max_tokens=35, mask_rate=0.3, mask_unit="morpheme", ngram=3),
]
# Lengths of sentences, empty ones and ones over the budget among them; some documents have none.
DOCUMENTS = st.lists(st.lists(st.integers(0, 70), max_size=12), min_size=1, max_size=12)


def _mix(x: int) -> int:
    """SplitMix64's output function on Python's numbers."""
    x = (x + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return x ^ (x >> 31)


def reference(store: TokenStore, samples: Samples, config: DataConfig, epoch: int, number: int, rate: float) -> Sample:
    """One sample by the words of the documentation."""
    key = _mix(int(fold(SEED, epoch)[0]) ^ number)

    def draw(purpose: int, place: int = 0) -> int:
        return _mix((key + (purpose * 2**16 + place) * 0x9E3779B97F4A7C15) % 2**64)

    shard, begin, end = store.shards[samples.shards[number]], int(samples.begins[number]), int(samples.ends[number])
    n, text = end - begin, shard.tokens(begin, end).tolist()
    starts = {0, *np.flatnonzero(shard.starts(begin, end)).tolist()}
    inner = [int(e) - begin for e in shard.sentence_ends if begin < e < end]
    middle = max(1, n // 2)
    words = sorted(starts - {0}, key=lambda place: (abs(place - middle), place))
    split = inner[draw(SPLIT) % len(inner)] if inner else (words or [middle])[0]
    if config.mask_unit == "morpheme":
        assert shard.morphemes is not None
        starts = {0, *np.flatnonzero(shard.morphemes.between(begin, end)).tolist()}
    starts |= {split % n}
    if not config.whole_words:
        starts = set(range(n))
    if config.ngram > 1:
        starts = _stretches(sorted(starts), config.ngram, draw) | {0, split % n}
    chosen = _chosen(sorted(starts), n, min(n, max(1, round(n * rate))), draw)
    swapped = draw(SWAP) >> 63
    first, second = list(range(split)), list(range(split, n))
    a, b = (second, first) if swapped else (first, second)
    sources = [None, *a, None, *b, None]
    tokens = [store.special.sep if source is None else text[source] for source in sources]
    tokens[0] = store.special.cls
    masked = [place for place, source in enumerate(sources) if source in chosen]
    labels = [tokens[place] for place in masked]
    ordinary = sorted(set(range(store.vocab_size)) - {*vars(store.special).values()})
    for place in masked:
        fate = (draw(FATE, place) >> 11) / 2**53
        if fate >= config.keep_rate + config.random_rate:
            tokens[place] = store.special.mask
        elif fate >= config.keep_rate:
            tokens[place] = ordinary[draw(REPLACEMENT, place) % len(ordinary)]
    segments = [0] * (len(a) + 2) + [1] * (len(b) + 1)
    return Sample(*map(np.array, (tokens, segments, masked, labels)), swapped)


def _stretches(words: list[int], longest: int, draw: Callable[..., int]) -> set[int]:
    weights = [1 / k for k in range(1, longest + 1)]
    limits = (np.cumsum(weights)[:-1] / sum(weights)).tolist()
    begins, word, number = set(), 0, 0
    while word < len(words):
        begins.add(words[word])
        word += 1 + sum((draw(SPAN, number) >> 11) / 2**53 >= limit for limit in limits)
        number += 1
    return begins


def _chosen(starts: list[int], n: int, count: int, draw: Callable[..., int]) -> set[int]:
    words = [list(range(begin, end)) for begin, end in zip(starts, [*starts[1:], n], strict=True)]
    order = sorted(range(len(words)), key=lambda place: (draw(WORD, place) >> 32, place))
    chosen: set[int] = set()
    passed = []
    for number in order:
        if len(words[number]) <= count - len(chosen):
            chosen |= set(words[number])
        else:
            passed.append(number)
    return chosen | set(words[passed[0]][: count - len(chosen)] if passed else [])


def _assert_equal(one: Sample, other: Sample) -> None:
    for name in ("tokens", "segments", "masked", "labels", "swapped"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


@pytest.mark.parametrize("config", CONFIGS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOCUMENTS, st.integers(0, 3), st.sampled_from([0.05, 0.15, 0.5, 0.95]), st.randoms())
def test_samples_drawn_together_in_any_company_are_those_of_the_definition(
    make_store, config: DataConfig, documents: list[list[int]], epoch: int, rate: float, random
) -> None:
    store = make_store([*documents, [1]], shard_tokens=60, morphemes=config.mask_unit == "morpheme")
    samples = Samples(store, config, SEED)
    ids = list(range(len(samples)))
    random.shuffle(ids)
    drawn = samples.draw_all(epoch, np.array(ids), rate)
    begin, hidden = 0, 0
    for number in ids:
        wanted = reference(store, samples, config, epoch, number, rate)
        _assert_equal(samples.draw(epoch, number, rate), wanted)
        end, covered = begin + len(wanted.tokens), hidden + len(wanted.masked)
        assert drawn.tokens[begin:end].tolist() == wanted.tokens.tolist()
        assert drawn.places[begin:end].tolist() == list(range(end - begin))
        assert drawn.segments[begin:end].tolist() == wanted.segments.tolist()
        assert (drawn.masked[hidden:covered] - begin).tolist() == wanted.masked.tolist()
        assert drawn.labels[hidden:covered].tolist() == wanted.labels.tolist()
        begin, hidden = end, covered
    assert (begin, hidden) == (len(drawn.tokens), len(drawn.masked))
    assert drawn.swapped.tolist() == [samples.draw(epoch, number).swapped for number in ids]


def test_more_tokens_than_are_drawn_at_once_change_nothing(make_store, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = Samples(make_store([[9, 14, 3]] * 40), CONFIGS[1], SEED)
    whole = samples.draw_all(2, np.arange(len(samples)))
    monkeypatch.setattr("korbert.data.samples._TOGETHER", 50)
    parts = samples.draw_all(2, np.arange(len(samples)))
    for name in ("tokens", "places", "segments", "masked", "labels", "swapped"):
        assert getattr(whole, name).tolist() == getattr(parts, name).tolist()


@pytest.fixture
def fixed_store(tmp_path: Path) -> TokenStore:
    """Tokens, words and sentences by a hash: the same with every version of numpy."""
    hashes = mix64(np.arange(6000, dtype=np.uint64)).astype(np.int64) & 0xFFFFFF
    tokens, starts, place = (5 + hashes % 295).astype(np.uint16), hashes % 7 < 3, 0
    documents: list[list[Sentence]] = [[]]
    while place < len(tokens):
        end = place + 1 + int(hashes[place] >> 8) % 40
        documents[-1].append(Sentence(tokens[place:end], starts[place:end]))
        documents += [[]] if hashes[place] % 5 == 0 else []
        place = end
    special = Special(pad=0, unk=1, cls=2, sep=3, mask=4)
    write_store(tmp_path, documents, vocab_size=300, special=special, shard_tokens=2500)
    return TokenStore(tmp_path)


@pytest.mark.parametrize(("config", "digest"), [(CONFIGS[0], "3980151fd83d90a4"), (CONFIGS[1], "1bb4632bb0f24848")])
def test_the_samples_of_format_2_are_these_for_ever(fixed_store: TokenStore, config: DataConfig, digest: str) -> None:
    """Another digest is another training: then the version of stage pretrain in korbert/chain.py must rise."""
    samples = Samples(fixed_store, config, SEED)
    found = hashlib.sha256()
    for number in range(100):
        for epoch in (0, 5):
            drawn = samples.draw(epoch, number)
            for values in (drawn.tokens, drawn.segments, drawn.masked, drawn.labels, np.array([drawn.swapped])):
                found.update(values.astype("<i8").tobytes())
    assert found.hexdigest()[:16] == digest


@pytest.mark.parametrize("config", CONFIGS[:2])
def test_stored_morpheme_starts_change_no_draw_by_eojeol(make_store, config: DataConfig) -> None:
    one, other = (Samples(make_store([[9, 14, 3]] * 40, morphemes=flag), config, SEED) for flag in (False, True))
    drawn = [samples.draw_all(2, np.arange(len(samples))) for samples in (one, other)]
    for name in ("tokens", "places", "segments", "masked", "labels", "swapped"):
        assert getattr(drawn[0], name).tolist() == getattr(drawn[1], name).tolist()
