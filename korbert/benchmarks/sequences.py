"""Rows that are answered as a whole: of one text or two, with a label, the probability of each label, or a score.

r rows, b rows a batch, t tokens of the batch's longest row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import mse_loss

from korbert.benchmarks.batches import Answers, EncodedRows, Labels, packed
from korbert.benchmarks.tokens import InputTokenizer
from korbert.tasks import Examples

STRATA = 5
"""Draws of rows with scores keep fifths of the range in proportion: KorSTS' scores of 0-5, rounded down."""


@dataclass(frozen=True)
class SequenceRows(EncodedRows):
    """Rows with their label."""

    begins: NDArray[np.int64]
    """(r,) the row's token with which its second text begins; where there is none, the row's length."""

    def take(self, numbers: NDArray[np.int64]) -> SequenceRows:
        """The rows of these numbers, in their order."""
        plain = packed([self.row(number) for number in numbers], self.labels[numbers])
        return type(self)(plain.tokens, plain.ends, plain.labels, self.begins[numbers])

    def types(self, numbers: NDArray[np.int64], tokens: int) -> torch.Tensor | None:
        """(b, t) 0 for the first text and 1 for the second, padding 0; None where no row has a second."""
        begins, lengths = self.begins[numbers], self.lengths_of(numbers)
        if (begins == lengths).all():
            return None
        places = np.arange(tokens)
        second = (places >= begins[:, None]) & (places < lengths[:, None])
        return torch.from_numpy(second.astype(np.int64))


@dataclass(frozen=True)
class ProbabilityRows(SequenceRows):
    """Rows with their label, answered with the probability of every label: (r, labels)."""

    def blank(self) -> Answers:
        """(r, 0): how many labels there are, the first batch says."""
        return np.zeros((len(self), 0))

    def best(self, scores: torch.Tensor, numbers: NDArray[np.int64]) -> Answers:
        """(b, labels) probabilities that sum to 1."""
        probabilities: NDArray[Any] = scores.double().softmax(dim=-1).cpu().numpy()
        return probabilities

    def fill(self, answers: Answers, numbers: NDArray[np.int64], best: Answers) -> None:
        """Writes a batch's probabilities to their rows."""
        if answers.shape[1] == 0:
            answers.resize((len(self), best.shape[1]), refcheck=False)
        answers[numbers] = best


def with_probabilities(rows: EncodedRows) -> EncodedRows:
    """The same rows, answered with the probability of every label where they have one label each."""
    if type(rows) is EncodedRows:
        return ProbabilityRows(rows.tokens, rows.ends, rows.labels, rows.lengths)
    if type(rows) is SequenceRows:
        return ProbabilityRows(rows.tokens, rows.ends, rows.labels, rows.begins)
    return rows


@dataclass(frozen=True)
class ScoreRows(SequenceRows):
    """Rows with a score, floats in `labels`. The loss is the mean squared error of the raw score, as published."""

    @property
    def strata(self) -> Labels:
        """(r,) which fifth of the range of scores each row lies in."""
        return scores_strata(self.labels)

    def targets(self, numbers: NDArray[np.int64]) -> torch.Tensor:
        """(b,)"""
        return torch.from_numpy(self.labels[numbers]).float()

    def loss(self, scores: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        """Mean squared error; `weights` are of labels, which there are none of."""
        return mse_loss(scores[:, 0], targets)

    def blank(self) -> Answers:
        """(r,) floats."""
        return np.zeros(len(self))

    def best(self, scores: torch.Tensor, numbers: NDArray[np.int64]) -> Answers:
        """(b,) the scores themselves."""
        answers: NDArray[Any] = scores[:, 0].double().cpu().numpy()
        return answers


def scores_strata(scores: NDArray[Any]) -> Labels:
    """(r,) which fifth of their range each of `scores` (r,) lies in, 0 the lowest."""
    low, high = float(scores.min(initial=0)), float(scores.max(initial=0))
    return np.minimum((scores - low) * STRATA / max(high - low, 1e-12), STRATA - 1).astype(np.int64)


def sequence_rows(
    kind: type[SequenceRows], examples: Examples, tokenizer: InputTokenizer, max_tokens: int
) -> tuple[SequenceRows, int]:
    """Tokenises all rows once; answers them and how many were cut to `max_tokens`.

    A pair is [CLS] a [SEP] b [SEP], or what the tokenizer makes of two texts. Of a pair that is too long, the longer
    text gives up tokens at its end until both fit ("longest first").
    """
    rows: list[NDArray[np.int32]] = []
    begins: list[int] = []
    cut = 0
    for ids, begin, shortened in tokenizer.sequences(examples.texts, examples.seconds, max_tokens):
        rows.append(np.asarray(ids, dtype=np.int32))
        begins.append(begin)
        cut += shortened
    plain = packed(rows, examples.labels)
    return kind(plain.tokens, plain.ends, plain.labels, np.asarray(begins, dtype=np.int64)), cut
