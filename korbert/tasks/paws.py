"""PAWS-X, Korean: whether two sentences of much the same words mean the same, `id sentence1 sentence2 label`.

Untranslated rows hold the text `NS` (35 of the development and 28 of the test rows); published code keeps them, so they
stay in and are counted. Published scores train on `translated_train.tsv` and choose on the development rows. Without
that file the task trains on the development rows, holds some of them out to choose by, and says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from korbert.tasks import Examples, Task
from korbert.tasks.tables import number_of, pairs, table

COLUMNS = ("id", "sentence1", "sentence2", "label")
LABELS = ("different", "same")
TRAIN, VALIDATION, TEST = "translated_train.tsv", "dev_2k.tsv", "test_2k.tsv"
UNTRANSLATED = "NS"


def read(path: Path) -> Examples:
    """All rows of a file. Counts: `untranslated_rows`.

    Raises:
        UsageError: naming file and row, for whatever breaks the format.
    """
    rows = table(path, f"{TRAIN}, {VALIDATION} and {TEST}", COLUMNS)
    examples = pairs((c[1], c[2], number_of(path, row, c[3], ("0", "1"))) for row, c in rows)
    examples.counts["untranslated_rows"] = sum(UNTRANSLATED in row for row in examples.rows)
    return examples


def _stands_in(folder: Path) -> bool:
    return not (folder / TRAIN).exists() and (folder / VALIDATION).exists()


def _by_folder(folder: Path) -> dict[str, Any]:
    return {} if _stands_in(folder) else {"validation": lambda place: read(place / VALIDATION)}


TASK = Task(
    labels=LABELS,
    head="sentence",
    metric="accuracy",
    files=lambda folder: (VALIDATION, TEST) if _stands_in(folder) else (TRAIN, VALIDATION, TEST),
    train=lambda folder: read(folder / (VALIDATION if _stands_in(folder) else TRAIN)),
    by_folder=_by_folder,
    test=lambda folder: read(folder / TEST),
    licence="free to use, source to be named (PAWS-X's licence)",
    source="https://github.com/google-research-datasets/paws/tree/master/pawsx",
    remark=lambda folder: (
        "stand-in: trained on the development rows, not comparable with published scores" if _stands_in(folder) else ""
    ),
    by_hand="folder ko of https://storage.googleapis.com/paws/pawsx/x-final.tar.gz",
)
