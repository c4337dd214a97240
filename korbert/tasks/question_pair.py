"""Question Pair: whether two questions ask the same, `question1 question2 is_duplicate` under a header, quoting off.

The column's name misleads: 0 marks two questions that ask the SAME, 1 two that do not. The labels here say it.
"""

from __future__ import annotations

from pathlib import Path

from korbert.tasks import Examples, Task
from korbert.tasks.tables import number_of, pairs, table

COLUMNS = ("question1", "question2", "is_duplicate")
LABELS = ("same", "different")
TRAIN, VALIDATION, TEST = "train.tsv", "dev.tsv", "test.tsv"


def read(path: Path) -> Examples:
    """All rows of a file.

    Raises:
        UsageError: naming file and row, for whatever breaks the format.
    """
    rows = table(path, f"{TRAIN}, {VALIDATION} and {TEST}", COLUMNS)
    return pairs((c[0], c[1], number_of(path, row, c[2], ("0", "1"))) for row, c in rows)


TASK = Task(
    labels=LABELS,
    head="sentence",
    metric="accuracy",
    files=lambda _: (TRAIN, VALIDATION, TEST),
    train=lambda folder: read(folder / TRAIN),
    validation=lambda folder: read(folder / VALIDATION),
    test=lambda folder: read(folder / TEST),
    licence="not stated with the files",
    source="https://github.com/songys/Question_pair",
    by_hand="https://github.com/songys/Question_pair, whose owner points to the division of "
    "https://github.com/aisolab/nlp_classification; as train.tsv, dev.tsv and test.tsv, KoELECTRA's names",
)
