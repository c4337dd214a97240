"""KLUE-STS: how alike two sentences are, JSON objects with `sentence1`, `sentence2` and `labels` with `real-label`.

Scores are Pearson's correlation with the raw mean of the annotators (`real-label`, 0 to 5) and the F1 of "3 or more",
both of the development file: KLUE keeps its test set back. Without `klue-sts-v1.1_train.json` the task trains on
KorSTS' training file (in the same folder, or in `korsts` beside it), and says so.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from korbert.errors import UsageError
from korbert.tasks import Examples, Task, korsts
from korbert.tasks.sources import KLUE, github
from korbert.tasks.tables import beside, objects, pairs, score_of, text_of

TRAIN, TEST = "klue-sts-v1.1_train.json", "klue-sts-v1.1_dev.json"


def read(path: Path) -> Examples:
    """All rows of a file.

    Raises:
        UsageError: naming file and row, for whatever breaks the format.
    """
    rows = objects(path, f"{TRAIN} and {TEST}", ("sentence1", "sentence2", "labels"))
    return pairs(
        (
            (
                text_of(path, row, "sentence1", found["sentence1"]),
                text_of(path, row, "sentence2", found["sentence2"]),
                score_of(path, row, _real(path, row, found["labels"]), korsts.HIGHEST),
            )
            for row, found in rows
        ),
        np.float64,
    )


def _real(path: Path, row: int, labels: object) -> object:
    if not isinstance(labels, dict) or "real-label" not in labels:
        raise UsageError(f"{path} row {row}: labels must hold real-label; get the original file again")
    return labels["real-label"]


def _stand_in(folder: Path) -> str:
    return "" if (folder / TRAIN).exists() else beside(folder, korsts.TRAIN, "korsts")


def _train(folder: Path) -> Examples:
    stand_in = _stand_in(folder)
    return korsts.read(folder / stand_in) if stand_in else read(folder / TRAIN)


TASK = Task(
    labels=("score",),
    head="score",
    metric="pearson",
    also=("spearman", "binary_f1"),
    files=lambda folder: (_stand_in(folder) or TRAIN, TEST),
    train=_train,
    test=lambda folder: read(folder / TEST),
    licence="CC BY-SA 4.0",
    source="https://github.com/KLUE-benchmark/KLUE",
    remark=lambda folder: (
        "stand-in: trained on KorSTS, not comparable with published scores" if _stand_in(folder) else ""
    ),
    downloads=(
        github(KLUE, f"klue_benchmark/klue-sts-v1.1/{TRAIN}", git_blob="4e92fce70fe9f2dbed2ffcb9c2aec7417c6d32ff"),
        github(
            KLUE, f"klue_benchmark/klue-sts-v1.1/{TEST}", size=454638,
            sha256="b6a0ae0c370e21687f7eef0fdea872a328bb2ecbdb020c546cb870d28606bf80",
        ),
    ),
)  # fmt: skip
