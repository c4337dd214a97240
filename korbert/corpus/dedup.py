"""Exact and near duplicates over a whole corpus; of each group the earliest document in corpus order is kept.

Exact: equal SHA-256 of the normalized text. Near: MinHash signatures of word n-grams (Broder 1997), candidates by
banded locality-sensitive hashing, and a threshold on the Jaccard similarity estimated from the whole signature.

Names of dimensions: n documents, b bands, r rows (hashes) a band; a signature has b * r hashes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

DIGEST_BYTES = 16
"""Bytes of the SHA-256 that are compared; 128 bits make a chance collision of 10^9 texts less likely than 10^-20."""

_SEED = 1
_WORD = re.compile(r"\w+")
KEPT = -1


@dataclass(frozen=True)
class Duplicates:
    """What became of each document."""

    original: NDArray[np.int64]
    """(n,) position of the kept document that this one repeats; `KEPT` for those that stay."""
    similarity: NDArray[np.float32]
    """(n,) estimated Jaccard similarity to it: 1 for exact duplicates, 0 for those that stay."""
    exact: NDArray[np.bool_]
    """(n,) whether it is an exact duplicate."""


def text_digest(text: str) -> bytes:
    """The first `DIGEST_BYTES` of the text's SHA-256."""
    return hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES]


def shingles(text: str, size: int) -> set[str]:
    """Sequences of `size` words, case and punctuation apart; of a shorter text all its words as one."""
    words = _WORD.findall(text.lower())
    return {" ".join(words[start : start + size]) for start in range(max(1, len(words) - size + 1))}


def signatures(texts: Sequence[str], *, ngram: int, hashes: int) -> NDArray[np.uint32]:
    """MinHash signatures (len(texts), hashes) of the texts' shingles."""
    if not texts:
        return np.zeros((0, hashes), np.uint32)
    # Sorted, so that nothing can depend on a set's order, which changes from process to process.
    sets = [sorted(shingles(text, ngram)) for text in texts]
    rows = RMinHash.digest_matrix_from_token_sets(sets, num_perm=hashes, seed=_SEED).to_rows()
    return np.asarray(rows, dtype=np.uint32)


def find_duplicates(
    digests: NDArray[np.uint8], minhashes: NDArray[np.uint32], *, bands: int, threshold: float
) -> Duplicates:
    """Which documents repeat an earlier one, from digests (n, DIGEST_BYTES) and signatures (n, b * r).

    A document is compared with kept ones only, so a chain of small edits does not pull unlike texts together.
    """
    n = len(digests)
    original, exact = np.full(n, KEPT, np.int64), np.zeros(n, np.bool_)
    similarity = np.zeros(n, np.float32)
    first = _first_equal(digests)
    exact[:] = first != np.arange(n)
    unique = np.flatnonzero(~exact)
    _mark_near(unique, minhashes, bands, threshold, original, similarity)
    # An exact copy of a near duplicate repeats the same kept document.
    repeated = np.flatnonzero(exact)
    kept = original[first[repeated]]
    original[repeated] = np.where(kept == KEPT, first[repeated], kept)
    similarity[repeated] = np.where(kept == KEPT, np.float32(1), similarity[first[repeated]])
    return Duplicates(original, similarity, exact)


def _first_equal(rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n,) position of the first row equal to each row."""
    if not len(rows):
        return np.zeros(0, np.int64)
    keys = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    return first[group].astype(np.int64)


def _mark_near(
    unique: NDArray[np.int64],
    minhashes: NDArray[np.uint32],
    bands: int,
    threshold: float,
    original: NDArray[np.int64],
    similarity: NDArray[np.float32],
) -> None:
    """Writes the near duplicates among the documents `unique` into `original` and `similarity`."""
    buckets = _shared_buckets(minhashes[unique], bands)
    kept_in: dict[int, list[int]] = {}
    for row in np.flatnonzero((buckets != KEPT).any(axis=1)):
        document, mine = int(unique[row]), [int(bucket) for bucket in buckets[row] if bucket != KEPT]
        candidates = sorted({candidate for bucket in mine for candidate in kept_in.get(bucket, ())})
        if candidates:
            equal = (minhashes[candidates] == minhashes[document]).mean(axis=1, dtype=np.float32)
            best = int(equal.argmax())
            if equal[best] >= threshold:
                original[document], similarity[document] = candidates[best], equal[best]
                continue
        for bucket in mine:
            kept_in.setdefault(bucket, []).append(document)


def _shared_buckets(minhashes: NDArray[np.uint32], bands: int) -> NDArray[np.int64]:
    """(n, b) number of the bucket that each document's band falls in, `KEPT` where it is alone there."""
    n, hashes = minhashes.shape
    rows = hashes // bands
    buckets = np.full((n, bands), KEPT, np.int64)
    for band in range(bands):
        first = _first_equal(minhashes[:, band * rows : (band + 1) * rows].view(np.uint8).reshape(n, -1)) if n else None
        if first is not None:
            shared = np.bincount(first, minlength=n)[first] > 1
            buckets[shared, band] = first[shared] * bands + band
    return buckets
