"""A task's rows, read, tokenised once and divided: what fine-tuning and sweeps train and choose on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from korbert.benchmarks.batches import EncodedRows, encoded
from korbert.benchmarks.characters import character_rows
from korbert.benchmarks.sequences import ProbabilityRows, ScoreRows, SequenceRows, scores_strata, sequence_rows
from korbert.benchmarks.spans import span_rows
from korbert.benchmarks.split import HELD_OUT_SEED, Rows, drawn, held_out, held_out_groups, held_out_of
from korbert.benchmarks.tagging import tagged_rows
from korbert.benchmarks.tokens import InputTokenizer
from korbert.benchmarks.windows import Limits
from korbert.tasks import Examples, Task
from korbert.tasks.squad import Questions

UNITS: dict[str, Callable[[str], int]] = {
    "words": lambda text: len(text.split()),
    "characters": lambda text: sum(not character.isspace() for character in text),
}
"""How many labels a text has, with heads that give more than one."""
LIMITS = Limits()
PROBABILITY_METRICS = {"auprc"}
"""Metrics that want the probability of every label, not the likeliest label."""


@dataclass(frozen=True)
class Material:
    """A task's rows to train on and rows to choose by. It holds no test row."""

    rows: EncodedRows
    """All of them."""
    training: Rows
    """Numbers of the rows that may be trained on."""
    validation: Rows
    """Numbers of the rows to choose by; the same for every seed and sweep."""
    cut: int
    """Rows cut to the longest allowed input."""

    def training_rows(self, limit: int, seed: int) -> EncodedRows:
        """`limit` rows to train on (0: all), drawn by seed."""
        return self.rows.take(drawn(self.training, self.rows.strata, limit, seed))

    def validation_rows(self, limit: int) -> EncodedRows:
        """`limit` rows to choose by (0: all); the same ones for everybody."""
        return self.rows.take(self.validation_numbers(limit))

    def validation_numbers(self, limit: int) -> Rows:
        """The numbers of those rows among all."""
        return drawn(self.validation, self.rows.strata, limit, HELD_OUT_SEED)


@dataclass(frozen=True)
class Draw:
    """How many rows, and which."""

    training: int
    """To train on, drawn by seed; 0: all."""
    seed: int
    validation: int
    """To choose by, the same for every seed; 0: all."""


def read_material(
    task: Task, folder: Path, tokenizer: InputTokenizer, *, max_tokens: int, validation: float, limits: Limits = LIMITS
) -> tuple[Material, Examples]:
    """The material of a folder with the task's files, and the examples it was made from.

    Args:
        task: Says how the files are read and divided.
        folder: Holds them.
        tokenizer: The encoder's.
        max_tokens: Longer rows are cut.
        validation: Share of the training rows that is held out, where the task has no file of rows to choose by.
        limits: Of windows and answers, for head `span`.

    Raises:
        UsageError: for a file that breaks the format, or too few rows to divide.
    """
    examples, training, held = _divided(task, folder, validation)
    rows, cut = encoded_examples(task, examples, tokenizer, max_tokens, limits)
    return Material(rows, training, held, cut), examples


def read_drawn(
    task: Task, folder: Path, tokenizer: InputTokenizer, draw: Draw, *, max_tokens: int, validation: float,
    limits: Limits = LIMITS,
) -> tuple[EncodedRows, EncodedRows]:  # fmt: skip
    """The rows to train on and those to choose by that `read_material`'s answer gives by `draw`; where a row is an
    example, only these are tokenised.

    Raises:
        UsageError: for a file that breaks the format, or too few rows to divide.
    """
    examples, training, held = _divided(task, folder, validation)
    if task.head in UNITS or isinstance(examples, Questions):
        rows, cut = encoded_examples(task, examples, tokenizer, max_tokens, limits)
        material = Material(rows, training, held, cut)
        return material.training_rows(draw.training, draw.seed), material.validation_rows(draw.validation)
    strata = scores_strata(examples.labels) if task.head == "score" else examples.labels
    chosen = drawn(training, strata, draw.training, draw.seed)
    numbers = np.concatenate([chosen, drawn(held, strata, draw.validation, HELD_OUT_SEED)])
    rows, _ = encoded_examples(task, taken(examples, numbers), tokenizer, max_tokens, limits)
    return rows.take(np.arange(len(chosen))), rows.take(np.arange(len(chosen), len(numbers)))


def _divided(task: Task, folder: Path, validation: float) -> tuple[Examples, Rows, Rows]:
    """All examples that are no test's, and the numbers of those to train on and of those to choose by."""
    examples = task.train(folder)
    count = len(examples.texts)
    if task.validation is not None:
        examples = joined(examples, task.validation(folder))
        return examples, np.arange(count), np.arange(count, len(examples.texts))
    if task.head in UNITS:
        return examples, *held_out_of(count, validation)
    if isinstance(examples, Questions):
        return examples, *held_out_groups(examples.contexts, validation)
    if task.head == "score":
        return examples, *_scores_held_out(examples, validation)
    return examples, *held_out(examples.labels, validation)


def _scores_held_out(examples: Examples, share: float) -> tuple[Rows, Rows]:
    """Held out in proportion to the scores; plainly where a fifth of their range has fewer than two rows."""
    strata = scores_strata(examples.labels)
    counts = np.unique(strata, return_counts=True)[1]
    if len(counts) < 2 or counts.min() < 2:
        return held_out_of(len(strata), share)
    return held_out(strata, share)


def encoded_examples(
    task: Task, examples: Examples, tokenizer: InputTokenizer, max_tokens: int, limits: Limits = LIMITS
) -> tuple[EncodedRows, int]:
    """Examples as the task's head takes them, and how many were cut to `max_tokens`."""
    if isinstance(examples, Questions):
        return span_rows(examples, tokenizer, max_tokens, limits)
    if task.head == "words":
        return tagged_rows(examples, tokenizer, max_tokens)
    if task.head == "characters":
        return character_rows(examples, tokenizer, max_tokens)
    kind = _kind(task)
    if kind is SequenceRows and examples.seconds is None:
        return encoded(examples.texts, examples.labels, tokenizer, max_tokens)
    return sequence_rows(kind, examples, tokenizer, max_tokens)


def _kind(task: Task) -> type[SequenceRows]:
    if task.head == "score":
        return ScoreRows
    return ProbabilityRows if PROBABILITY_METRICS & {task.metric, *task.also} else SequenceRows


def beginning(examples: Examples, head: str, count: int) -> Examples:
    """The first `count` rows."""
    texts = examples.texts[:count]
    labels = sum(UNITS[head](text) for text in texts) if head in UNITS else count
    seconds = None if examples.seconds is None else examples.seconds[:count]
    return Examples(texts, examples.labels[:labels], seconds=seconds)


def taken(examples: Examples, numbers: Rows) -> Examples:
    """The examples of these numbers, in their order, where each has one label."""
    seconds = None if examples.seconds is None else [examples.seconds[number] for number in numbers]
    return Examples([examples.texts[number] for number in numbers], examples.labels[numbers], seconds=seconds)


def joined(first: Examples, second: Examples) -> Examples:
    """Both files' rows, one after the other; counts are added."""
    counts = {name: first.counts.get(name, 0) + second.counts.get(name, 0) for name in first.counts | second.counts}
    seconds = None if first.seconds is None or second.seconds is None else first.seconds + second.seconds
    return Examples(first.texts + second.texts, np.concatenate([first.labels, second.labels]), counts, seconds)
