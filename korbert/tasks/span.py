"""Questions of your own: train.json and test.json in SQuAD 1.1's layout (`tasks.squad`), answers marked by offsets.

A question may be marked `is_impossible` and have no answers. Questions to choose by are held out of the training file
by context; training questions on a context that is also tested on are left out (`dropped_questions`).
"""

from __future__ import annotations

from korbert.tasks import Task
from korbert.tasks.squad import LABELS, apart, read

TRAIN, TEST = "train.json", "test.json"
NEEDS = f"{TRAIN} and {TEST}"

TASK = Task(
    labels=LABELS,
    head="span",
    metric="f1",
    also=("exact_match",),
    files=lambda _: (TRAIN, TEST),
    train=lambda folder: apart(
        read(folder / TRAIN, NEEDS, unanswerable=True), read(folder / TEST, NEEDS, unanswerable=True)
    ),
    test=lambda folder: read(folder / TEST, NEEDS, unanswerable=True),
    licence="yours",
    source="https://rajpurkar.github.io/SQuAD-explorer/ (the layout)",
)
