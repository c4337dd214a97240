"""KLUE-NER: a tag a character, `character<TAB>tag` a line, sentences parted by blank lines, `##` lines are comments.

A space is a line too and has no label here, as in KLUE's scores: macro F1 of whole entities, strictly read, and of
characters, over all rows of the development file (the test set is kept back). Labels stay by character: entities share
their eojeol with particles and with each other, so that labels by eojeol would lose some. Without
`klue-ner-v1.1_train.tsv` the first four fifths of the development file are trained on and the last is the test set.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from korbert.errors import UsageError
from korbert.tasks import Examples, Task, numbered_lines
from korbert.tasks.sources import KLUE, github

TYPES = ("PS", "LC", "OG", "DT", "TI", "QT")
LABELS = ("O", *(f"{kind}-{place}" for kind in TYPES for place in "BI"))
TRAIN, TEST = "klue-ner-v1.1_train.tsv", "klue-ner-v1.1_dev.tsv"
TEST_SHARE = 5
"""Without training file, one sentence in so many is the test set."""

_NUMBERS = {"O": 0} | {f"{place}-{kind}": LABELS.index(f"{kind}-{place}") for kind in TYPES for place in "BI"}

Sentence = tuple[str, list[int], int]
"""Text, the number of the label of each character that is no space, and how many spaces an entity begins with."""


def read(path: Path) -> list[Sentence]:
    """All sentences of a file.

    Raises:
        UsageError: naming file and row, for a missing or empty file, a line that is no character with a tag, or an
            unknown tag.
    """
    found = list(_sentences(path))
    if not found:
        raise UsageError(f"{path}: holds no sentence; name a folder that holds {TRAIN} and {TEST}")
    return found


def examples(sentences: list[Sentence]) -> Examples:
    """Sentences as rows. Counts: `entities_begun_on_a_space`, whose beginning KLUE's scores do not see either."""
    labels = [label for _, found, _ in sentences for label in found]
    counts = {"entities_begun_on_a_space": sum(lost for _, _, lost in sentences)}
    return Examples([text for text, _, _ in sentences], np.asarray(labels, dtype=np.int64), counts)


def _sentences(path: Path) -> Iterator[Sentence]:
    text, labels, lost = "", list[int](), 0
    for row, line in numbered_lines(path, f"{TRAIN} and {TEST}"):
        if line.startswith("##"):
            continue
        if not line.strip("\t"):
            if text:
                yield text, labels, lost
            text, labels, lost = "", [], 0
            continue
        character, tab, tag = line.partition("\t")
        if len(character) != 1 or not tab:
            raise UsageError(f"{path} row {row}: is {line[:20]!r}; write one character<TAB>tag")
        if tag not in _NUMBERS:
            raise UsageError(
                f"{path} row {row}: tag {tag[:20]!r} must be O, or B- or I- and one of: {', '.join(TYPES)}"
            )
        text += character
        if not character.isspace():
            labels.append(_NUMBERS[tag])
        elif tag.startswith("B"):
            lost += 1
    if text:
        yield text, labels, lost


def _stands_in(folder: Path) -> bool:
    return not (folder / TRAIN).exists() and (folder / TEST).exists()


def _divided(folder: Path) -> tuple[list[Sentence], list[Sentence]]:
    sentences = read(folder / TEST)
    if len(sentences) < TEST_SHARE:
        raise UsageError(f"{folder / TEST}: holds {len(sentences)} sentences; a fifth is the test set, give 5 or more")
    first_of_test = len(sentences) - len(sentences) // TEST_SHARE
    return sentences[:first_of_test], sentences[first_of_test:]


def _train(folder: Path) -> Examples:
    return examples(_divided(folder)[0] if _stands_in(folder) else read(folder / TRAIN))


def _test(folder: Path) -> Examples:
    return examples(_divided(folder)[1] if _stands_in(folder) else read(folder / TEST))


TASK = Task(
    labels=LABELS,
    head="characters",
    metric="entity_macro_f1",
    also=("character_macro_f1",),
    files=lambda folder: (TEST,) if _stands_in(folder) else (TRAIN, TEST),
    train=_train,
    test=_test,
    licence="CC BY-SA 4.0",
    source="https://github.com/KLUE-benchmark/KLUE",
    remark=lambda folder: (
        "stand-in: the development file divided, not comparable with published scores" if _stands_in(folder) else ""
    ),
    downloads=(
        github(KLUE, f"klue_benchmark/klue-ner-v1.1/{TRAIN}", git_blob="b4f5d7dba85bb04d9dd72c7491bd62568af55cf1"),
        github(
            KLUE, f"klue_benchmark/klue-ner-v1.1/{TEST}", size=2635045,
            sha256="0f4d5e818f7b82d299c3a87856fc40a706f5943207580ddb252397e387050a54",
        ),
    ),
)  # fmt: skip
