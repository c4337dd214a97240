"""Rows whose characters have labels: a token answers all its characters, the first with its label, the others going on.

r rows, b rows a batch, t tokens of the batch's longest row. Spaces have no label. As in KLUE's baseline code a token
learns its first character's label; here offsets say which characters it stands for, so unknown tokens need no rule.
Labels are O, then B and I of each type (PS-B, PS-I, ...), so the I of a B is the next number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from korbert.benchmarks.batches import Answers, cut_to, packed
from korbert.benchmarks.tagging import IGNORED, TaggedRows, joined_ranges, ranges_of
from korbert.benchmarks.tokens import InputTokenizer
from korbert.tasks import Examples


@dataclass(frozen=True)
class CharacterRows(TaggedRows):
    """Rows with a label for each token, and the gold labels of all characters that are no spaces (in `words`)."""

    firsts: NDArray[np.int64]
    """(all tokens,) the first of the row's characters that the token answers."""
    covers: NDArray[np.int64]
    """(all tokens,) how many it answers, one after the other."""

    def take(self, numbers: NDArray[np.int64]) -> CharacterRows:
        """The rows of these numbers, in their order."""
        plain, tokens = super().take(numbers), ranges_of(self.ends, numbers)
        firsts, covers = joined_ranges(self.firsts, tokens), joined_ranges(self.covers, tokens)
        return CharacterRows(plain.tokens, plain.ends, plain.labels, plain.words, plain.word_ends, firsts, covers)

    def fill(self, answers: Answers, numbers: NDArray[np.int64], best: Answers) -> None:
        """Writes a batch's best labels `best` (b, t) to the places of its characters in `answers`."""
        for line, number, (first, last) in zip(best, numbers, ranges_of(self.ends, numbers), strict=True):
            begin = self.word_ends[number - 1] if number else 0
            for label, place, count in zip(line, self.firsts[first:last], self.covers[first:last], strict=False):
                if count:
                    answers[begin + place] = label
                    answers[begin + place + 1 : begin + place + count] = going_on(int(label))

    @property
    def cut_words(self) -> int:
        """Characters that the model does not see."""
        return len(self.words) - int(self.covers.sum())


def going_on(label: int) -> int:
    """The label of a character that goes on where `label` is: the I of a B, else the same."""
    return label + 1 if label % 2 else label


def character_rows(examples: Examples, tokenizer: InputTokenizer, max_tokens: int) -> tuple[CharacterRows, int]:
    """Tokenises all texts once; answers the rows and how many were cut to `max_tokens`.

    What a cut row's tokens do not reach is answered with O.
    """
    rows, labels, firsts, covers = [], [], [], []
    sizes: list[int] = []
    cut = done = 0
    for text, (ids, offsets) in zip(examples.texts, tokenizer.encoded(examples.texts), strict=True):
        spans = covered(text, offsets)
        size = sum(not character.isspace() for character in text)
        gold = examples.labels[done : done + size]
        carried = [int(gold[first]) if count else IGNORED for first, count in spans]
        cut += len(ids) > max_tokens
        rows.append(np.asarray(cut_to(list(ids), max_tokens), dtype=np.int32))
        labels += cut_to(carried, max_tokens)
        firsts += [first for first, _ in cut_to(spans, max_tokens)]
        covers += [count for _, count in cut_to(spans, max_tokens)]
        sizes.append(size)
        done += size
    assert done == len(examples.labels)
    plain = packed(rows, np.asarray(labels, dtype=np.int64))
    ends = np.cumsum(sizes, dtype=np.int64)
    places = (np.asarray(firsts, dtype=np.int64), np.asarray(covers, dtype=np.int64))
    return CharacterRows(plain.tokens, plain.ends, plain.labels, examples.labels, ends, *places), cut


def covered(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of each token the first character it answers, spaces not counted, and how many: none of an earlier token's."""
    before = np.concatenate([[0], np.cumsum([not character.isspace() for character in text], dtype=np.int64)])
    spans, reached = [], 0
    for begin, end in offsets:
        first, last = max(int(before[begin]), reached), int(before[end])
        spans.append((first, max(last - first, 0)))
        reached = max(reached, last)
    return spans
