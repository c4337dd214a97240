"""How a seed's score comes about: the best epoch is chosen on validation rows, then the test rows are asked once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from transformers import PreTrainedModel

from korbert.benchmarks.batches import Answers, EncodedRows
from korbert.benchmarks.classifier import predicted
from korbert.benchmarks.fitting import Advance, Fitting

Score = Callable[[Answers, EncodedRows], float]
"""Of answers to rows."""


class TestSetSpent(RuntimeError):
    """The test rows were asked for a second score: a choice could be made on them."""


class TestSet:
    """The test rows, which answer each seed once."""

    def __init__(self, rows: EncodedRows, pad: int, score: Score, spent: Iterable[int] = ()) -> None:
        """`spent` are the seeds that have their score from an earlier attempt of the same run."""
        self._rows, self._pad, self._score = rows, pad, score
        self._spent = set(spent)

    def score(self, model: PreTrainedModel, seed: int, advance: Callable[[int], None] = lambda _: None) -> float:
        """The score over all test rows.

        Raises:
            TestSetSpent: when this seed has asked before.
        """
        return self._score(self.answers(model, seed, advance), self._rows)

    def answers(self, model: PreTrainedModel, seed: int, advance: Callable[[int], None] = lambda _: None) -> Answers:
        """The model's answers to all test rows, for all that is to be told of them.

        Raises:
            TestSetSpent: when this seed has asked before.
        """
        if seed in self._spent:
            raise TestSetSpent(f"seed {seed} has its test score already; choose on validation rows, not on test rows")
        self._spent.add(seed)
        return predicted(model, self._rows, self._pad, advance)


@dataclass(frozen=True)
class Outcome:
    """The best epoch of a fitting, chosen on validation rows; the model has that epoch's weights."""

    best_epoch: int
    """From 1; the earliest of equals."""
    validation: list[float]
    """Score after each epoch."""
    curve: list[dict[str, Any]]
    """Training points, and a validation point at the end of each epoch."""
    tokens_per_second: float
    """Training tokens, padding not counted, a second of training."""
    seconds: float
    """Training and validation."""
    answers: Answers
    """The best epoch's, to the validation rows."""


def fit(
    fitting: Fitting,
    validation: EncodedRows,
    pad: int,
    score: Score,
    advance: Advance = lambda *_: None,
    patience: int = 0,
) -> Outcome:
    """All epochs of a fitting; its model ends with the weights of the epoch that was best on `validation`.

    Args:
        fitting: At its beginning.
        validation: Rows to choose by.
        pad: The padding token's id.
        score: Judges the answers to them.
        advance: Told of every batch.
        patience: Stops after so many epochs in a row without a better score; 0: never.

    Raises:
        Diverged: when the loss is not finite.
    """
    started, tokens, training_seconds = time.monotonic(), 0, 0.0
    scores: list[float] = []
    curve: list[dict[str, Any]] = []
    best: dict[str, torch.Tensor] = {}
    kept = validation.blank()
    for number in range(1, fitting.settings.epochs + 1):
        epoch = fitting.epoch(number, advance)
        tokens, training_seconds = tokens + epoch.tokens, training_seconds + epoch.seconds
        answers = predicted(fitting.model, validation, pad, lambda rows: advance(rows, "validation"))
        scores.append(score(answers, validation))
        curve += [{"seed": fitting.settings.seed, **asdict(point)} for point in epoch.points]
        curve[-1]["validation"] = scores[-1]
        if scores[-1] > max(scores[:-1], default=-math.inf):
            best = {name: value.clone() for name, value in fitting.model.state_dict().items()}
            kept = answers
        elif patience and number - 1 - scores.index(max(scores)) >= patience:
            break
    fitting.model.load_state_dict(best)
    return Outcome(
        best_epoch=scores.index(max(scores)) + 1,
        validation=scores,
        curve=curve,
        tokens_per_second=round(tokens / max(training_seconds, 1e-9), 1),
        seconds=round(time.monotonic() - started, 3),
        answers=kept,
    )
