"""Rows whose words have labels: a word's first token carries its label, its other tokens none.

r rows, b rows a batch, t tokens of the batch's longest row. A row that is cut keeps all its gold labels: what the
model does not see it answers with O, so entities beyond the cut count as missed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from korbert.benchmarks.batches import Answers, EncodedRows, Labels, cut_to, packed
from korbert.benchmarks.tokens import InputTokenizer
from korbert.tasks import Examples, words

IGNORED = -100
"""Label of a token that no loss is taken of; torch's cross_entropy leaves it out."""
OUTSIDE = 0
"""Number of label O."""


@dataclass(frozen=True)
class TaggedRows(EncodedRows):
    """Rows with a label for each word that was seen, and the gold labels of all words."""

    words: Labels
    """(words of all rows,) gold labels, those beyond a cut included."""
    word_ends: NDArray[np.int64]
    """(r,) where each row ends in `words`."""

    @property
    def gold(self) -> Labels:
        """(words of all rows,)."""
        return self.words

    @property
    def strata(self) -> Labels:
        """(r,) one stratum: a sentence has no label of its own."""
        return np.zeros(len(self), dtype=np.int64)

    def take(self, numbers: NDArray[np.int64]) -> TaggedRows:
        """The rows of these numbers, in their order."""
        tokens, words = ranges_of(self.ends, numbers), ranges_of(self.word_ends, numbers)
        plain = packed([self.row(number) for number in numbers], joined_ranges(self.labels, tokens))
        sizes = [last - first for first, last in words]
        word_ends = np.cumsum(sizes, dtype=np.int64)
        return TaggedRows(plain.tokens, plain.ends, plain.labels, joined_ranges(self.words, words), word_ends)

    def targets(self, numbers: NDArray[np.int64]) -> torch.Tensor:
        """(b, t) what the loss compares with, IGNORED where there is nothing to compare."""
        ranges = ranges_of(self.ends, numbers)
        lengths = np.asarray([last - first for first, last in ranges])
        taken = np.arange(lengths.max()) < lengths[:, None]
        labels = np.full(taken.shape, IGNORED, dtype=np.int64)
        labels[taken] = joined_ranges(self.labels, ranges)
        return torch.from_numpy(labels)

    def fill(self, answers: Answers, numbers: NDArray[np.int64], best: Answers) -> None:
        """Writes a batch's best labels `best` (b, t) to the places of its words in `answers`."""
        for line, number, (first, last) in zip(best, numbers, ranges_of(self.ends, numbers), strict=True):
            seen = np.flatnonzero(self.labels[first:last] != IGNORED)
            begin = self.word_ends[number - 1] if number else 0
            answers[begin : begin + len(seen)] = line[seen]

    @property
    def cut_words(self) -> int:
        """Words that the model does not see."""
        return len(self.words) - int((self.labels != IGNORED).sum())


def tagged_rows(examples: Examples, tokenizer: InputTokenizer, max_tokens: int) -> tuple[TaggedRows, int]:
    """Tokenises all texts once; answers the rows and how many were cut to `max_tokens`.

    A word of which the tokenizer leaves nothing (a lone control character) becomes one unknown token, as in
    KoELECTRA's code. A cut row keeps its last special token ([SEP]).
    """
    rows: list[NDArray[np.int32]] = []
    labels: list[Labels] = []
    sizes: list[int] = []
    cut = done = 0
    for text, (ids, offsets) in zip(examples.texts, tokenizer.encoded(examples.texts), strict=True):
        places = words(text)
        gold = examples.labels[done : done + len(places)]
        tokens, carried = _labelled(places, gold, ids, offsets, tokenizer.unknown)
        cut += len(tokens) > max_tokens
        rows.append(np.asarray(cut_to(tokens, max_tokens), dtype=np.int32))
        labels.append(np.asarray(cut_to(carried, max_tokens), dtype=np.int64))
        sizes.append(len(places))
        done += len(places)
    assert done == len(examples.labels)
    plain = packed(rows, np.concatenate(labels))
    ends = np.cumsum(sizes, dtype=np.int64)
    return TaggedRows(plain.tokens, plain.ends, plain.labels, examples.labels, ends), cut


def _labelled(
    places: Sequence[tuple[int, int]],
    gold: Labels,
    ids: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    unknown: int,
) -> tuple[list[int], list[int]]:
    """Token ids and the label that each carries; words without a token get an unknown one."""
    begins = [begin for begin, _ in places]
    tokens: list[int] = []
    labels: list[int] = []
    done = 0  # words that have their token
    for token, (begin, end) in zip(ids, offsets, strict=True):
        # A token may begin with the space before its word, so its last character says where it belongs.
        word = bisect_right(begins, end - 1) - 1 if end > begin else -1
        while done < word:
            tokens.append(unknown)
            labels.append(int(gold[done]))
            done += 1
        tokens.append(token)
        labels.append(int(gold[word]) if word == done else IGNORED)
        done += word == done
    rest = [int(label) for label in gold[done:]]  # before the last special token
    tokens[-1:-1] = [unknown] * len(rest)
    labels[-1:-1] = rest
    return tokens, labels


def ranges_of(ends: NDArray[np.int64], numbers: NDArray[np.int64]) -> list[tuple[int, int]]:
    return [(int(ends[number - 1]) if number else 0, int(ends[number])) for number in numbers]


def joined_ranges(values: Labels, ranges: Sequence[tuple[int, int]]) -> Labels:
    parts = [values[first:last] for first, last in ranges]
    return np.concatenate(parts) if parts else values[:0]
