"""Encoded rows and how they are put into batches: little padding, and the order a pure function of (seed, epoch).

r rows, b rows a batch, t tokens of the batch's longest row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from korbert.benchmarks.tokens import InputTokenizer

WINDOW_BATCHES = 64
"""Batches a window: rows are shuffled, then sorted by length within a window. Wide enough that a batch holds one or
two lengths, narrow enough that its rows still change company from epoch to epoch."""
EVALUATION_ROWS = 256
EVALUATION_TOKENS = 4_096
"""Rows and tokens of a batch without gradients, at most. Measured with four layers of width 256 on one CPU thread:
13,700 tokens/s with 4,096 tokens, 12,700 with 8,192, 12,000 with 16,384."""

T = TypeVar("T")
Labels = NDArray[Any]
"""Numbers of labels (int64), or scores (float64) where rows have those."""
Answers = NDArray[Any]
"""What a model answers to rows, as the rows' class lays it out: numbers of labels, or spans with their scores."""


@dataclass(frozen=True)
class EncodedRows:
    """Token ids of many rows end to end, special tokens included, and their labels."""

    tokens: NDArray[np.int32]
    """(all tokens,)"""
    ends: NDArray[np.int64]
    """(r,) where each row ends in `tokens`."""
    labels: Labels
    """(r,)"""

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(r,) tokens of each row."""
        return np.diff(self.ends, prepend=0)

    def lengths_of(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """(b,) tokens of the rows of these numbers, without a look at the others."""
        begins = np.where(numbers > 0, self.ends[numbers - 1], 0)
        sizes: NDArray[np.int64] = self.ends[numbers] - begins
        return sizes

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return sum(value.nbytes for value in vars(self).values())

    def row(self, number: int) -> NDArray[np.int32]:
        """One row's token ids."""
        begin = self.ends[number - 1] if number else 0
        return self.tokens[begin : self.ends[number]]

    def take(self, numbers: NDArray[np.int64]) -> EncodedRows:
        """The rows of these numbers, in their order."""
        rows = [self.row(number) for number in numbers]
        return packed(rows, self.labels[numbers])

    def loss(self, scores: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        """The mean loss of a batch's scores; `weights` (labels,) count labels for more or less, None: all alike."""
        return cross_entropy(scores.flatten(0, -2), targets.flatten(), weight=weights)

    def balance(self, labels: int) -> torch.Tensor:
        """(labels,) weights with which each label has the same share in the loss, 1 on average over the rows."""
        counts = np.bincount(self.labels[self.labels >= 0].astype(np.int64), minlength=labels)
        present = np.maximum(counts, 1) * np.count_nonzero(counts)
        return torch.from_numpy(counts.sum() / present).float()

    @property
    def items(self) -> int:
        """What a task counts and `take` draws: rows here, questions where a question has several rows."""
        return len(self)

    @property
    def gold(self) -> Labels:
        """What answers are compared with: (r,) here."""
        return self.labels

    @property
    def strata(self) -> Labels:
        """(r,) what draws of rows keep in proportion."""
        return self.labels

    def targets(self, numbers: NDArray[np.int64]) -> torch.Tensor:
        """What the loss compares a batch's scores with: (b,) here."""
        return torch.from_numpy(self.labels[numbers])

    def blank(self) -> Answers:
        """Answers before any batch has been asked: label 0, lying as `gold` does."""
        return np.zeros(len(self.gold), dtype=np.int64)

    def best(self, scores: torch.Tensor, numbers: NDArray[np.int64]) -> Answers:
        """What a batch's scores answer: the label with the highest one."""
        return scores.argmax(dim=-1).cpu().numpy()

    def fill(self, answers: Answers, numbers: NDArray[np.int64], best: Answers) -> None:
        """Writes a batch's best labels `best` to their places in `answers`, which lie as `gold` does."""
        answers[numbers] = best

    def types(self, numbers: NDArray[np.int64], tokens: int) -> torch.Tensor | None:
        """(b, t) which of two texts each token of a batch padded to `tokens` is of; None: there is one text."""
        return None

    def padded(self, numbers: NDArray[np.int64], pad: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """A batch: token ids (b, t), and the attention mask (b, t), or None where no row needs padding."""
        rows = [self.row(number) for number in numbers]
        lengths = np.asarray([len(row) for row in rows])
        taken = np.arange(lengths.max()) < lengths[:, None]
        ids = np.full(taken.shape, pad, dtype=np.int64)
        ids[taken] = np.concatenate(rows)
        mask = None if taken.all() else torch.from_numpy(taken.astype(np.int64))
        return torch.from_numpy(ids), mask


def packed(rows: Sequence[NDArray[np.int32]], labels: Labels) -> EncodedRows:
    """Rows of token ids, end to end."""
    ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
    tokens = np.concatenate(rows) if len(rows) else np.zeros(0, dtype=np.int32)
    return EncodedRows(tokens.astype(np.int32, copy=False), ends, labels)


def encoded(
    texts: Sequence[str], labels: Labels, tokenizer: InputTokenizer, max_tokens: int
) -> tuple[EncodedRows, int]:
    """Tokenises all texts once; answers the rows and how many were cut to `max_tokens`.

    A cut row keeps its last special token ([SEP]). An empty text is a row of special tokens.
    """
    rows: list[NDArray[np.int32]] = []
    cut = 0
    for ids in tokenizer.ids(texts):
        cut += len(ids) > max_tokens
        rows.append(np.asarray(cut_to(ids, max_tokens), dtype=np.int32))
    return packed(rows, labels), cut


def cut_to(values: list[T], most: int) -> list[T]:
    """At most `most` values: the first ones and the last."""
    return values if len(values) <= most else values[: most - 1] + values[-1:]


def training_batches(lengths: NDArray[np.int64], size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Row numbers of each batch of an epoch: every row once, rows of like length together, batches shuffled.

    Args:
        lengths: (r,) tokens of each row.
        size: Rows a batch; one batch an epoch may be smaller.
        seed: With `epoch`, all that the order depends on.
        epoch: From 1.
    """
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(len(lengths))
    batches: list[NDArray[np.int64]] = []
    for begin in range(0, len(order), size * WINDOW_BATCHES):
        window = order[begin : begin + size * WINDOW_BATCHES]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches += [window[i : i + size] for i in range(0, len(window), size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def evaluation_batches(lengths: NDArray[np.int64], tokens: int = EVALUATION_TOKENS) -> Iterator[NDArray[np.int64]]:
    """Row numbers of each batch, every row once, shortest first, of at most EVALUATION_ROWS rows and, unless a single
    row has more, `tokens` tokens with their padding."""
    order = np.argsort(lengths, kind="stable")
    begin = 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and end - begin < EVALUATION_ROWS and (end - begin + 1) * lengths[order[end]] <= tokens:
            end += 1
        yield order[begin:end]
        begin = end


def padding(lengths: NDArray[np.int64], batches: Sequence[NDArray[np.int64]]) -> float:
    """Share of the batches' tokens that are padding."""
    computed = sum(int(lengths[batch].max()) * len(batch) for batch in batches)
    return 1 - int(lengths.sum()) / computed
