"""KorQuAD 1.0: questions on paragraphs of the Korean Wikipedia; the answer is a span of the paragraph.

Published scores are on the public development file, which is the test set here. No rows to choose by are published, so
they are held out of the training file by context: no context is on both sides.
"""

from __future__ import annotations

from korbert.tasks import Task
from korbert.tasks.squad import LABELS, read

TRAIN, TEST = "KorQuAD_v1.0_train.json", "KorQuAD_v1.0_dev.json"
NEEDS = f"{TRAIN} and {TEST}"

TASK = Task(
    labels=LABELS,
    head="span",
    metric="f1",
    also=("exact_match",),
    files=lambda _: (TRAIN, TEST),
    train=lambda folder: read(folder / TRAIN, NEEDS),
    test=lambda folder: read(folder / TEST, NEEDS),
    licence="CC BY-ND 2.0 KR",
    source="https://korquad.github.io/KorQuad%201.0/",
)
