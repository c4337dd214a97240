"""KorNLI: whether a sentence entails another, `sentence1 sentence2 gold_label` under a header, quoting off.

Published scores train on `multinli.train.ko.tsv`, choose on XNLI's development rows and are of its 5,010 test rows.
Without that file the task trains on KLUE-NLI's (in the same folder, or in `klue-nli` beside it), and says so.
"""

from __future__ import annotations

from pathlib import Path

from korbert.tasks import Examples, Task, klue_nli
from korbert.tasks.sources import KAKAOBRAIN, github
from korbert.tasks.tables import beside, number_of, pairs, table

COLUMNS = ("sentence1", "sentence2", "gold_label")
LABELS = klue_nli.LABELS
TRAIN, VALIDATION, TEST = "multinli.train.ko.tsv", "xnli.dev.ko.tsv", "xnli.test.ko.tsv"
NEEDS = f"{TRAIN}, {VALIDATION} and {TEST}"


def read(path: Path) -> Examples:
    """All rows of a file.

    Raises:
        UsageError: naming file and row, for whatever breaks the format.
    """
    return pairs((c[0], c[1], number_of(path, row, c[2], LABELS)) for row, c in table(path, NEEDS, COLUMNS))


def _stand_in(folder: Path) -> str:
    return "" if (folder / TRAIN).exists() else beside(folder, klue_nli.TRAIN, "klue-nli")


def _train(folder: Path) -> Examples:
    stand_in = _stand_in(folder)
    return klue_nli.read(folder / stand_in) if stand_in else read(folder / TRAIN)


TASK = Task(
    labels=LABELS,
    head="sentence",
    metric="accuracy",
    files=lambda folder: (_stand_in(folder) or TRAIN, VALIDATION, TEST),
    train=_train,
    validation=lambda folder: read(folder / VALIDATION),
    test=lambda folder: read(folder / TEST),
    licence="CC BY-SA 4.0",
    source="https://github.com/kakaobrain/kor-nlu-datasets",
    remark=lambda folder: (
        "stand-in: trained on KLUE-NLI, not comparable with published scores" if _stand_in(folder) else ""
    ),
    downloads=(
        github(KAKAOBRAIN, f"KorNLI/{TRAIN}", git_blob="94d26a9d0dd045928148ef8691a256bd0e7d45c3"),
        github(
            KAKAOBRAIN, f"KorNLI/{VALIDATION}", size=511383,
            sha256="821fb1c1c2e538ac2724a6132da36ffa379eb9a542ceb89243b3cf711377382c",
        ),
        github(
            KAKAOBRAIN, f"KorNLI/{TEST}", size=1032430,
            sha256="0db53cf8e182283a0d0404ec3fe1b15d1e29236d23d22082dc20d43067254b3e",
        ),
    ),
)  # fmt: skip
