"""Trained on Wiki QA, tested on KorQuAD 1.0's development file: a stand-in that reads the real test questions.

The folder holds both tasks' folders, wiki-qa and korquad. No training context is also tested on.
"""

from __future__ import annotations

from korbert.tasks import Task, korquad, wiki_qa
from korbert.tasks.squad import LABELS, apart, read

TRAIN, TEST = f"wiki-qa/{wiki_qa.TRAIN}", f"korquad/{korquad.TEST}"
NEEDS = f"{TRAIN} and {TEST}"

TASK = Task(
    labels=LABELS,
    head="span",
    metric="f1",
    also=("exact_match",),
    files=lambda _: (TRAIN, TEST),
    train=lambda folder: apart(read(folder / TRAIN, NEEDS), read(folder / TEST, NEEDS)),
    test=lambda folder: read(folder / TEST, NEEDS),
    licence=f"training: {wiki_qa.LICENCE}; test: {korquad.TASK.licence}",
    source=korquad.TASK.source,
    remark=lambda _: "trained on 3,947 questions of Wiki QA, not on KorQuAD's 60,407: not comparable with its scores",
)
