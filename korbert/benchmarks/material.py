"""A task's rows, read, tokenised once and divided: what fine-tuning and sweeps train and choose on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from korbert.benchmarks import nsmc
from korbert.benchmarks.batches import EncodedRows, encoded
from korbert.benchmarks.split import HELD_OUT_SEED, Rows, drawn, held_out


@dataclass(frozen=True)
class Material:
    """The training file of a task, divided into rows to train on and rows to choose by. It holds no test row."""

    rows: EncodedRows
    """All rows of the training file."""
    training: Rows
    """Numbers of the rows that may be trained on."""
    validation: Rows
    """Numbers of the rows held out; the same for every seed and sweep."""
    cut: int
    """Rows cut to the longest allowed input."""
    empty: int
    """Documents without a character."""

    def training_rows(self, limit: int, seed: int) -> EncodedRows:
        """`limit` rows to train on (0: all), drawn by seed."""
        return self.rows.take(drawn(self.training, self.rows.labels, limit, seed))

    def validation_rows(self, limit: int) -> EncodedRows:
        """`limit` rows to choose by (0: all); the same ones for everybody."""
        return self.rows.take(drawn(self.validation, self.rows.labels, limit, HELD_OUT_SEED))


def read_material(
    folder: Path, tokenizer: PreTrainedTokenizerBase, *, max_tokens: int, validation: float
) -> tuple[Material, nsmc.Reviews]:
    """The material of a folder in NSMC's format, and the reviews it was made from.

    Args:
        folder: Holds the training file.
        tokenizer: The encoder's.
        max_tokens: Longer rows are cut.
        validation: Share of the rows that is held out.

    Raises:
        UsageError: for a file that breaks the format, or too few rows to divide.
    """
    reviews = nsmc.read(folder / nsmc.TRAIN)
    training, held = held_out(reviews.labels, validation)
    rows, cut = encoded(reviews.texts, reviews.labels, tokenizer, max_tokens)
    return Material(rows, training, held, cut, reviews.empty), reviews
