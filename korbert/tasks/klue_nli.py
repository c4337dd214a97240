"""KLUE-NLI: whether a premise entails a hypothesis, JSON objects with `premise`, `hypothesis` and `gold_label`.

KLUE keeps its test set back; as in its baseline code the score is of the development file, and the rows to choose by
are held out from training.
"""

from __future__ import annotations

from pathlib import Path

from korbert.tasks import Examples, Task
from korbert.tasks.sources import KLUE, github
from korbert.tasks.tables import number_of, objects, pairs, text_of

LABELS = ("entailment", "neutral", "contradiction")
TRAIN, TEST = "klue-nli-v1.1_train.json", "klue-nli-v1.1_dev.json"


def read(path: Path, needs: str = f"{TRAIN} and {TEST}") -> Examples:
    """All rows of a file.

    Raises:
        UsageError: naming file and row, for whatever breaks the format.
    """
    rows = objects(path, needs, ("premise", "hypothesis", "gold_label"))
    return pairs(
        (
            text_of(path, row, "premise", found["premise"]),
            text_of(path, row, "hypothesis", found["hypothesis"]),
            number_of(path, row, found["gold_label"], LABELS),
        )
        for row, found in rows
    )


TASK = Task(
    labels=LABELS,
    head="sentence",
    metric="accuracy",
    files=lambda _: (TRAIN, TEST),
    train=lambda folder: read(folder / TRAIN),
    test=lambda folder: read(folder / TEST),
    licence="CC BY-SA 4.0",
    source="https://github.com/KLUE-benchmark/KLUE",
    downloads=(
        github(
            KLUE, f"klue_benchmark/klue-nli-v1.1/{TRAIN}", size=12576683,
            sha256="8d32e7e4ff97804a23f277fee8740f1341ac82e1c0c7b34f1be21952e4813996",
        ),
        github(
            KLUE, f"klue_benchmark/klue-nli-v1.1/{TEST}", size=1498298,
            sha256="0699db82be17766b26e199864e6260443e17ec6e91d1870e876419e388f245b1",
        ),
    ),
)  # fmt: skip
