"""KLUE-MRC: questions on news and Wikipedia paragraphs, of which some have no answer in their paragraph.

KLUE tests on a file it does not publish; its published development file is the test set here. The answer to a question
without one is no text at all. Scores are KLUE's own, not KorQuAD's, see `benchmarks.answers`.
"""

from __future__ import annotations

from korbert.tasks import Task
from korbert.tasks.squad import LABELS, read

TRAIN, TEST = "klue-mrc-v1.1_train.json", "klue-mrc-v1.1_dev.json"
NEEDS = f"{TRAIN} and {TEST}"

TASK = Task(
    labels=LABELS,
    head="span",
    metric="rouge_w",
    also=("klue_exact_match",),
    files=lambda _: (TRAIN, TEST),
    train=lambda folder: read(folder / TRAIN, NEEDS, unanswerable=True),
    test=lambda folder: read(folder / TEST, NEEDS, unanswerable=True),
    licence="CC BY-SA 4.0",
    source="https://github.com/KLUE-benchmark/KLUE",
    remark=lambda _: "on KLUE's development file, which chose nothing here; its own test file is not public",
)
