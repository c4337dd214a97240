"""KMOU NER, 2016klp: 3,660 sentences of newspapers and books, a stand-in for Naver NER, whose files may not be copied.

Sentences are parted by blank lines:
    ; 김철수는 서울에 갔다.                the raw text
    $<김철수:PS>는 <서울:LC>에 갔다.       the same with entities marked
    1<TAB>김철수<TAB>NNP<TAB>B_PS          a morpheme a line: number of its eojeol, form, part of speech, tag
    1<TAB>는<TAB>JX<TAB>O
Morphemes are dictionary forms and do not add up to the text, so labels come from the marked line: an eojeol has the tag
of the first entity that touches it, -B where that entity begins in it and -I where it goes on, its particles included,
as Naver's files have it. An entity that shares its eojeol with an earlier one has no tag of its own and is counted
(`merged_entities`). Published scores on this corpus are of morphemes: another task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from korbert.errors import UsageError
from korbert.tasks import Examples, Task, numbered_lines, words
from korbert.tasks.sources import KMOU, github

TYPES = ("PS", "LC", "OG", "DT", "TI")
LABELS = ("O", *(f"{kind}-{place}" for kind in TYPES for place in "BI"))
TRAIN, VALIDATION, TEST = "ner.train", "ner.dev", "ner.test"
NEEDS = f"{TRAIN}, {VALIDATION} and {TEST}"

# A mark is <text:TYPE>; angle brackets without a type are part of the text.
_MARK = re.compile(r"<([^<>]*):([A-Z]{2,3})>")
_MORPHEME_TAGS = {"O", "I", *(f"B_{kind}" for kind in TYPES)}
_NUMBERS = {label: number for number, label in enumerate(LABELS)}

Entity = tuple[str, int, int]
"""Type, first character, one past the last."""


@dataclass(frozen=True)
class Sentence:
    """A sentence with its entities."""

    text: str
    entities: list[Entity]
    """In the order of the text."""
    disagrees: bool
    """Whether the morpheme lines have another number of entities than the marked line."""


def read(path: Path) -> Examples:
    """All sentences of a file, labelled by eojeol.

    Counts: `merged_entities` (without a tag of their own, see above), `disagreeing_sentences` (the corpus' two
    annotations have different numbers of entities there; the marked line is believed).

    Raises:
        UsageError: naming file and row, for a missing or empty file, a sentence without its raw or marked line, a
            marked line that is not the raw line, a morpheme line with other than four columns, an unknown type or tag.
    """
    sentences = [_sentence(path, number, block) for number, block in _blocks(path)]
    labels, merged = [], 0
    for sentence in sentences:
        tags, lost = tagged(sentence.text, sentence.entities)
        labels += [_NUMBERS[tag] for tag in tags]
        merged += lost
    counts = {"merged_entities": merged, "disagreeing_sentences": sum(sentence.disagrees for sentence in sentences)}
    return Examples([sentence.text for sentence in sentences], np.asarray(labels, dtype=np.int64), counts)


def tagged(text: str, entities: list[Entity]) -> tuple[list[str], int]:
    """The tag of each eojeol, and how many entities got none.

    Args:
        text: A sentence.
        entities: Its entities in the order of the text; they do not overlap.
    """
    places = words(text)
    tags = ["O"] * len(places)
    merged = 0
    for kind, begin, end in entities:
        touched = [n for n, (first, last) in enumerate(places) if first < end and begin < last]
        if not touched or tags[touched[0]] != "O":
            merged += 1
            continue
        for n in touched:
            tags[n] = f"{kind}-{'B' if n == touched[0] else 'I'}"
    return tags, merged


def unmarked(line: str) -> tuple[str, list[Entity]]:
    """The text of a marked line, and its entities in the order of the text."""
    text, entities, done = "", [], 0
    for match in _MARK.finditer(line):
        text += line[done : match.start()]
        entities.append((match[2], len(text), len(text) + len(match[1])))
        text += match[1]
        done = match.end()
    return text + line[done:], entities


def _blocks(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Row of the first line, and lines, of each sentence."""
    block: list[str] = []
    row = 0
    for row, line in numbered_lines(path, NEEDS):
        if line.strip():
            block.append(line)
        elif block:
            yield row - len(block), block
            block = []
    if block:
        yield row - len(block) + 1, block


def _sentence(path: Path, row: int, lines: list[str]) -> Sentence:
    if len(lines) < 2 or not lines[0].startswith(";") or not lines[1].startswith("$"):
        raise UsageError(f"{path} row {row}: a sentence begins with its text after ; and its marked text after $")
    raw = lines[0].removeprefix(";").strip()
    text, entities = unmarked(lines[1].removeprefix("$").strip())
    if text != raw:
        raise UsageError(f"{path} row {row + 1}: without its marks it must be the text of the row before")
    for kind, _, _ in entities:
        if kind not in TYPES:
            raise UsageError(f"{path} row {row + 1}: type {kind!r} must be one of: {', '.join(TYPES)}")
    tags = [_morpheme_tag(path, row + 2 + n, line) for n, line in enumerate(lines[2:])]
    return Sentence(text, entities, sum(tag.startswith("B_") for tag in tags) != len(entities))


def _morpheme_tag(path: Path, row: int, line: str) -> str:
    columns = line.split("\t")
    if len(columns) != 4:
        raise UsageError(
            f"{path} row {row}: has {len(columns)} columns, not 4; write eojeol<TAB>morpheme<TAB>POS<TAB>tag"
        )
    if columns[3] not in _MORPHEME_TAGS:
        kinds = ", ".join(TYPES)
        raise UsageError(f"{path} row {row}: tag {columns[3][:20]!r} must be O, I, or B_ and one of: {kinds}")
    return columns[3]


TASK = Task(
    labels=LABELS,
    head="words",
    metric="entity_f1",
    files=lambda _: (TRAIN, VALIDATION, TEST),
    train=lambda folder: read(folder / TRAIN),
    validation=lambda folder: read(folder / VALIDATION),
    test=lambda folder: read(folder / TEST),
    licence="NER License, MIT License for non-commercial use",
    source="https://github.com/kmounlp/NER, 2016klp",
    remark=lambda _: "stand-in for Naver NER: not comparable with its published scores",
    downloads=(
        github(
            KMOU, f"2016klp/{TRAIN}", size=2808804,
            sha256="ae8d0b9ecc49a36ec8fd30ebed5accf2e4da23e8e432d0e4e494be049412c1cf",
        ),
        github(
            KMOU, f"2016klp/{VALIDATION}", size=345513,
            sha256="0b6afc8e02a5bb3439b697da7aa6bc274b1128f84c14f6bde85c7d0934b145d6",
        ),
        github(
            KMOU, f"2016klp/{TEST}", size=338858,
            sha256="35396b5d88d9c3feb74a5e43097482e4379ff522bc66ed0d2a1e40a4e34a5645",
        ),
    ),
)  # fmt: skip
