"""KLUE-TC (YNAT): the section of a news headline, JSON objects with `title` and `label`; scored by macro F1.

KLUE keeps its test set back; the score is of the development file, and rows to choose by are held out from training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from korbert.tasks import Examples, Task
from korbert.tasks.sources import KLUE, github
from korbert.tasks.tables import number_of, objects, text_of

LABELS = ("정치", "경제", "사회", "생활문화", "세계", "IT과학", "스포츠")
"""In the order of KLUE's baseline code."""
TRAIN, TEST = "ynat-v1.1_train.json", "ynat-v1.1_dev.json"


def read(path: Path) -> Examples:
    """All rows of a file.

    Raises:
        UsageError: naming file and row, for whatever breaks the format.
    """
    texts, labels = [], []
    for row, found in objects(path, f"{TRAIN} and {TEST}", ("title", "label")):
        texts.append(text_of(path, row, "title", found["title"]))
        labels.append(number_of(path, row, found["label"], LABELS))
    return Examples(texts, np.asarray(labels, dtype=np.int64))


TASK = Task(
    labels=LABELS,
    head="sentence",
    metric="macro_f1",
    also=("accuracy",),
    files=lambda _: (TRAIN, TEST),
    train=lambda folder: read(folder / TRAIN),
    test=lambda folder: read(folder / TEST),
    licence="CC BY-SA 4.0",
    source="https://github.com/KLUE-benchmark/KLUE",
    downloads=(
        github(KLUE, f"klue_benchmark/ynat-v1.1/{TRAIN}", git_blob="e74e912a66720294bd6fe70e69b0cd131a0a10d7"),
        github(KLUE, f"klue_benchmark/ynat-v1.1/{TEST}", git_blob="f4fb92cc5d967b586ea5172c3da8c379ba31caf9"),
    ),
)
