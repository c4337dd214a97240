import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from korbert.corpus.dedup import (
    DIGEST_BYTES,
    KEPT,
    Duplicates,
    find_duplicates,
    shingles,
    signatures,
    text_digest,
)

BANDS, ROWS, NGRAM, THRESHOLD = 14, 8, 5, 0.7


def dedup(texts: list[str], threshold: float = THRESHOLD) -> Duplicates:
    digests = np.frombuffer(b"".join(map(text_digest, texts)), np.uint8).reshape(-1, DIGEST_BYTES)
    minhashes = signatures(texts, ngram=NGRAM, hashes=BANDS * ROWS)
    return find_duplicates(digests, minhashes, bands=BANDS, threshold=threshold)


def edited(text: str, words: int, seed: int) -> str:
    """`text` with so many words replaced."""
    pieces, rng = text.split(" "), random.Random(seed)
    for place in rng.sample(range(len(pieces)), words):
        pieces[place] = f"수정{rng.randrange(10**6)}"
    return " ".join(pieces)


def test_shingles_leave_case_and_punctuation_aside() -> None:
    assert shingles("가 나, 다! 라 마 바", 5) == {"가 나 다 라 마", "나 다 라 마 바"}
    assert shingles("SK 하이닉스", 5) == shingles("“sk” 하이닉스.", 5) == {"sk 하이닉스"}


def test_signatures_estimate_the_jaccard_similarity(write_text: Callable[..., str]) -> None:
    text = write_text(1, 60)
    for words in (0, 5, 15, 40):
        other = edited(text, words, words)
        a, b = shingles(text, NGRAM), shingles(other, NGRAM)
        both = signatures([text, other], ngram=NGRAM, hashes=1024)
        # Standard error with 1,024 hashes is at most 0.016.
        assert float((both[0] == both[1]).mean()) == pytest.approx(len(a & b) / len(a | b), abs=0.07)


def test_of_equal_texts_the_first_is_kept(write_text: Callable[..., str]) -> None:
    texts = [write_text(seed) for seed in (1, 2, 1, 3, 2, 1)]
    found = dedup(texts)
    assert found.original.tolist() == [KEPT, KEPT, 0, KEPT, 1, 0]
    assert found.exact.tolist() == [False, False, True, False, True, True]


def _unlike(seed: int, number: int) -> str:
    rng = random.Random(seed * 10 + number)
    return " ".join(f"딴말{rng.randrange(10**9)}" for _ in range(300))


@given(st.integers(0, 10_000), st.permutations(range(6)))
@settings(max_examples=15)
def test_a_planted_edit_is_found_wherever_it_stands(seed: int, order: list[int]) -> None:
    # One word of 300 changed: 5 of 296 shingles, a similarity of 0.967, missed once in 10^9 (1 - 0.967^8)^14.
    long = _unlike(seed, 9)
    texts = [long, edited(long, 1, seed)]
    texts += [_unlike(seed, number) for number in range(4)]
    found = dedup([texts[place] for place in order])
    first, second = sorted((order.index(0), order.index(1)))
    expected = [KEPT] * 6
    expected[second] = first
    assert found.original.tolist() == expected
    assert found.similarity[second] > THRESHOLD
    assert not found.exact.any()


def test_unlike_texts_are_all_kept(write_text: Callable[..., str]) -> None:
    assert (dedup([write_text(seed) for seed in range(200)]).original == KEPT).all()


def test_a_chain_of_edits_does_not_reach_its_far_end() -> None:
    words = [f"낱말{number}" for number in range(200)]
    versions = []
    for step in range(8):
        versions.append(" ".join(words))
        words[step * 25 : step * 25 + 12] = [f"새말{step}-{number}" for number in range(12)]
    found = dedup(versions)
    assert found.original[1] == 0
    assert (found.original == KEPT).sum() > 1
    for document, original in enumerate(found.original):
        assert original == KEPT or (original < document and found.original[original] == KEPT)


def test_a_copy_of_a_near_duplicate_repeats_the_kept_text(write_text: Callable[..., str]) -> None:
    text = write_text(5, 60)
    near = edited(text, 2, 1)
    assert dedup([text, near, near]).original.tolist() == [KEPT, 0, 0]


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_and_one_text_are_no_duplicates(count: int) -> None:
    assert dedup(["가나다"] * count).original.tolist() == [KEPT] * count


def test_thousands_of_near_copies_cost_no_quadratic_time(write_text: Callable[..., str]) -> None:
    # 5,000 copies of one form letter with one field filled in: each is compared with the kept one alone.
    text = write_text(7, 30)
    found = dedup([f"{text} 접수 {number}번" for number in range(5_000)])
    assert found.original[0] == KEPT
    assert set(found.original[1:].tolist()) == {0}
