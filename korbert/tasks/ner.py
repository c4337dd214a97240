"""Naver NER: one tag a word between spaces, from the Naver NLP Challenge of 2018.

A folder holds one of
    train.tsv, test.tsv   `words<TAB>tags` a sentence, no header, PER-B / PER-I / O: KoBERT-NER's division of the
                          challenge's 90,000 sentences into 81,000 and 9,000, on which the published scores are
    train_data            the challenge's own file: `number<TAB>word<TAB>tag` a word, PER_B / PER_I / -, a blank line
                          after each sentence. The last tenth is the test set: 9,000 sentences of 90,000. Which rows
                          the published division took is not written down, so such a score is not quite comparable.
The published code checks nothing; here a row whose words and tags differ in number is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from korbert.errors import UsageError
from korbert.tasks import Examples, Task, numbered_lines

TYPES = ("PER", "FLD", "AFW", "ORG", "LOC", "CVL", "DAT", "TIM", "NUM", "EVT", "ANM", "PLT", "MAT", "TRM")
LABELS = ("O", *(f"{kind}-{place}" for kind in TYPES for place in "BI"))
"""29, in the order of KoELECTRA's code."""
TRAIN, TEST, WHOLE = "train.tsv", "test.tsv", "train_data"
NEEDS = f"{TRAIN} and {TEST}, or the challenge's {WHOLE}"
TEST_SHARE = 10
"""The test set is one sentence in so many: 9,000 of 90,000."""

_NUMBERS = {label: number for number, label in enumerate(LABELS)}

Sentence = tuple[list[str], list[int]]
"""Words, and the number of each one's label."""


def read(path: Path) -> Examples:
    """All sentences of a file of `words<TAB>tags` lines.

    Raises:
        UsageError: naming file and row, for a missing or empty file, other than two columns, as many tags as words not
            given, an unknown tag, or bytes that are not UTF-8.
    """
    return examples(_sentence(path, number, line) for number, line in numbered_lines(path, NEEDS))


def read_whole(path: Path) -> list[Sentence]:
    """All sentences of the challenge's own file.

    Raises:
        UsageError: naming file and row, for a missing or empty file, other than three columns, an unknown tag, bytes
            that are not UTF-8, or fewer sentences than can be divided.
    """
    sentences = list(_blocks(path))
    if len(sentences) < TEST_SHARE:
        raise UsageError(
            f"{path}: holds {len(sentences)} sentences; a tenth of at least {TEST_SHARE} is the test set, add more"
        )
    return sentences


def examples(sentences: Iterable[Sentence], counts: dict[str, int] | None = None) -> Examples:
    """Sentences as rows: words joined by single spaces."""
    found = list(sentences)
    labels = [label for _, tags in found for label in tags]
    return Examples([" ".join(words) for words, _ in found], np.asarray(labels, dtype=np.int64), counts or {})


def _sentence(path: Path, number: int, line: str) -> Sentence:
    columns = line.strip().split("\t")
    if len(columns) != 2:
        raise UsageError(f"{path} row {number}: has {len(columns)} columns, not 2; write words<TAB>tags")
    words, tags = columns[0].split(), columns[1].split()
    if len(words) != len(tags):
        raise UsageError(f"{path} row {number}: has {len(words)} words and {len(tags)} tags; give each word one tag")
    return words, [_label(path, number, tag) for tag in tags]


def _blocks(path: Path) -> Iterator[Sentence]:
    words: list[str] = []
    labels: list[int] = []
    for number, line in numbered_lines(path, NEEDS):
        if not line.strip():
            if words:
                yield words, labels
            words, labels = [], []
            continue
        columns = line.strip().split("\t")
        if len(columns) != 3 or len(columns[1].split()) != 1:
            raise UsageError(f"{path} row {number}: is {line[:40]!r}; write number<TAB>word<TAB>tag, one word a row")
        words.append(columns[1])
        labels.append(_label(path, number, "O" if columns[2] == "-" else columns[2].replace("_", "-")))
    if words:
        yield words, labels


def _label(path: Path, number: int, tag: str) -> int:
    if tag not in _NUMBERS:
        kinds = ", ".join(TYPES)
        raise UsageError(f"{path} row {number}: tag {tag[:20]!r} must be O or one of {kinds} with -B or -I behind")
    return _NUMBERS[tag]


def _files(folder: Path) -> tuple[str, ...]:
    return (WHOLE,) if (folder / WHOLE).is_file() and not (folder / TRAIN).exists() else (TRAIN, TEST)


def _whole(folder: Path) -> bool:
    return _files(folder) == (WHOLE,)


def _train(folder: Path) -> Examples:
    return examples(_divided(folder)[0]) if _whole(folder) else read(folder / TRAIN)


def _test(folder: Path) -> Examples:
    return examples(_divided(folder)[1]) if _whole(folder) else read(folder / TEST)


def _divided(folder: Path) -> tuple[Sequence[Sentence], Sequence[Sentence]]:
    sentences = read_whole(folder / WHOLE)
    first_of_test = len(sentences) - len(sentences) // TEST_SHARE
    return sentences[:first_of_test], sentences[first_of_test:]


def _remark(folder: Path) -> str:
    return f"test set: the last tenth of {WHOLE}, not the published division" if _whole(folder) else ""


TASK = Task(
    labels=LABELS,
    head="words",
    metric="entity_f1",
    files=_files,
    train=_train,
    test=_test,
    licence="Naver NLP Challenge agreement: no copies; get it from its owner",
    source="https://github.com/naver/nlp-challenge (files), https://github.com/monologg/KoBERT-NER (division)",
    remark=_remark,
    by_hand="from its owner, who forbids copies: https://github.com/naver/nlp-challenge",
)
