"""KLUE-RE: how two entities of a sentence are related: JSON objects with `sentence`, `subject_entity`, `object_entity`
(each with `word`, `start_idx` and `end_idx`, the last character's place) and `label`.

The subject stands between `@` signs and the object between `#` signs: KLUE's baseline adds four tokens of its own for
that, which an encoder that is only fine-tuned would have to learn from nothing. Scored by micro F1 without
`no_relation`, and by the mean area under precision over recall with it, of the development file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from korbert.errors import UsageError
from korbert.tasks import Examples, Task
from korbert.tasks.sources import KLUE, github
from korbert.tasks.tables import number_of, objects, text_of

LABELS = (
    "no_relation", "org:dissolved", "org:founded", "org:place_of_headquarters", "org:alternate_names", "org:member_of",
    "org:members", "org:political/religious_affiliation", "org:product", "org:founded_by", "org:top_members/employees",
    "org:number_of_employees/members", "per:date_of_birth", "per:date_of_death", "per:place_of_birth",
    "per:place_of_death", "per:place_of_residence", "per:origin", "per:employee_of", "per:schools_attended",
    "per:alternate_names", "per:parents", "per:children", "per:siblings", "per:spouse", "per:other_family",
    "per:colleagues", "per:product", "per:religion", "per:title",
)  # fmt: skip
"""In the order of KLUE's relation_list.json."""
TRAIN, TEST = "klue-re-v1.1_train.json", "klue-re-v1.1_dev.json"
SUBJECT, OBJECT = "@", "#"


def read(path: Path) -> Examples:
    """All rows of a file.

    Raises:
        UsageError: naming file and row, for whatever breaks the format.
    """
    texts, labels = [], []
    needed = ("sentence", "subject_entity", "object_entity", "label")
    for row, found in objects(path, f"{TRAIN} and {TEST}", needed):
        sentence = text_of(path, row, "sentence", found["sentence"])
        spans = [_span(path, row, sentence, name, found[name]) for name in ("subject_entity", "object_entity")]
        if spans[0][0] < spans[1][1] and spans[1][0] < spans[0][1]:
            raise UsageError(f"{path} row {row}: subject_entity and object_entity overlap; they must be apart")
        texts.append(marked(sentence, spans[0], spans[1]))
        labels.append(number_of(path, row, found["label"], LABELS))
    return Examples(texts, np.asarray(labels, dtype=np.int64))


def marked(sentence: str, subject: tuple[int, int], other: tuple[int, int]) -> str:
    """The sentence with signs around its two entities, each (first character, one past the last)."""
    for sign, (begin, end) in sorted(((SUBJECT, subject), (OBJECT, other)), key=lambda found: -found[1][0]):
        sentence = f"{sentence[:begin]}{sign} {sentence[begin:end]} {sign}{sentence[end:]}"
    return sentence


def _span(path: Path, row: int, sentence: str, name: str, entity: Any) -> tuple[int, int]:
    try:
        begin, end, word = int(entity["start_idx"]), int(entity["end_idx"]) + 1, entity["word"]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} row {row}: {name} must hold word, start_idx and end_idx") from error
    if begin < 0 or sentence[begin:end] != word:
        raise UsageError(f"{path} row {row}: {name} {str(word)[:20]!r} is not the sentence's text at {begin}-{end - 1}")
    return begin, end


TASK = Task(
    labels=LABELS,
    head="sentence",
    metric="micro_f1",
    also=("auprc",),
    files=lambda _: (TRAIN, TEST),
    train=lambda folder: read(folder / TRAIN),
    test=lambda folder: read(folder / TEST),
    licence="CC BY-SA 4.0",
    source="https://github.com/KLUE-benchmark/KLUE",
    downloads=(
        github(KLUE, f"klue_benchmark/klue-re-v1.1/{TRAIN}", git_blob="83b1fd41b1ea65dc29cd5bcfe1721bcdb25bd4d6"),
        github(KLUE, f"klue_benchmark/klue-re-v1.1/{TEST}", git_blob="f3e013f47e0a5a5d234410f8cdaa1eb8d89ccce3"),
    ),
)
