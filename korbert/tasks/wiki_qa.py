"""Wiki QA: 3,947 questions on the Korean Wikipedia in KorQuAD's layout, a stand-in where its training file is missing.

77 training questions share their context with a question of the test file, dev.json; they are left out
(`dropped_questions`). Contexts hold a backslash and an n where lines ended; offsets count both.
"""

from __future__ import annotations

from korbert.tasks import Task
from korbert.tasks.squad import LABELS, apart, read

TRAIN, TEST = "train.json", "dev.json"
NEEDS = f"{TRAIN} and {TEST} of boostcamp AI Tech's MRC data"
LICENCE = "not stated with the files; text of the Korean Wikipedia, CC BY-SA"
SOURCE = "https://boostcamp.connect.or.kr (AI Tech, MRC v1.0)"

TASK = Task(
    labels=LABELS,
    head="span",
    metric="f1",
    also=("exact_match",),
    files=lambda _: (TRAIN, TEST),
    train=lambda folder: apart(read(folder / TRAIN, NEEDS), read(folder / TEST, NEEDS)),
    test=lambda folder: read(folder / TEST, NEEDS),
    licence=LICENCE,
    source=SOURCE,
    remark=lambda _: "stand-in for KorQuAD 1.0: not comparable with its published scores",
)
