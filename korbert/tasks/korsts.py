"""KorSTS: how alike two sentences are, 0 to 5, `genre filename year id score sentence1 sentence2` under a header.

Sentences hold unpaired quotation marks, so the table is read with quoting off. Published scores are Spearman's
correlation x 100 over all 1,379 test rows; the loss is the mean squared error of the raw score, as in KoELECTRA's code.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from korbert.tasks import Examples, Task
from korbert.tasks.sources import KAKAOBRAIN, github
from korbert.tasks.tables import pairs, score_of, table

COLUMNS = ("genre", "filename", "year", "id", "score", "sentence1", "sentence2")
TRAIN, VALIDATION, TEST = "sts-train.tsv", "sts-dev.tsv", "sts-test.tsv"
HIGHEST = 5.0


def read(path: Path) -> Examples:
    """All rows of a file.

    Raises:
        UsageError: naming file and row, for whatever breaks the format.
    """
    rows = table(path, f"{TRAIN}, {VALIDATION} and {TEST}", COLUMNS)
    return pairs(((c[5], c[6], score_of(path, row, c[4], HIGHEST)) for row, c in rows), np.float64)


TASK = Task(
    labels=("score",),
    head="score",
    metric="spearman",
    also=("pearson",),
    files=lambda _: (TRAIN, VALIDATION, TEST),
    train=lambda folder: read(folder / TRAIN),
    validation=lambda folder: read(folder / VALIDATION),
    test=lambda folder: read(folder / TEST),
    licence="CC BY-SA 4.0",
    source="https://github.com/kakaobrain/kor-nlu-datasets",
    downloads=(
        github(
            KAKAOBRAIN, f"KorSTS/{TRAIN}", size=1046952,
            sha256="b5aaa7f957d6ff46f4b6834a8b0f024a9234a6eefe9289aed66746b4533da3b8",
        ),
        github(
            KAKAOBRAIN, f"KorSTS/{VALIDATION}", size=307276,
            sha256="d835b65b424401fbcce6be28a78159df8d61f5b19977ea7a0b83b8cb6105f393",
        ),
        github(
            KAKAOBRAIN, f"KorSTS/{TEST}", size=249596,
            sha256="13f83a3440d9db52d134eb40303ce021b03264aa338fbf2871c8786ce04d2105",
        ),
    ),
)  # fmt: skip
