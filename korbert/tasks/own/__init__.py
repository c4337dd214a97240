"""Data sets of one's own in one format (docs/benchmarks.md): `train.jsonl`, `test.jsonl` and, if there,
`validation.jsonl` to choose by, one JSON object a line. The labels are those of the training file, in the order of
the alphabet.

    {"text": "...", "label": "..."}                      task sentence
    {"text": "...", "text2": "...", "label": "..."}      task pair
    {"words": ["...", ...], "tags": ["PER-B", "O"]}      task tags; B-PER is read as PER-B
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from korbert.errors import UsageError
from korbert.tasks import Examples, numbered_lines
from korbert.tasks.tables import number_of, text_of

TRAIN, VALIDATION, TEST = "train.jsonl", "validation.jsonl", "test.jsonl"
OUTSIDE = "O"


def files(folder: Path) -> tuple[str, ...]:
    """The files that a folder holds of the format, or must hold."""
    return (TRAIN, VALIDATION, TEST) if (folder / VALIDATION).is_file() else (TRAIN, TEST)


def texts(path: Path, labels: tuple[str, ...], *, pairs: bool) -> Examples:
    """Rows with a label.

    Args:
        path: The file.
        labels: Names of the labels, 0 first.
        pairs: Whether a row has two texts.

    Raises:
        UsageError: naming file and row, for a line that is no such object, or an unknown label.
    """
    first, second, numbers = [], [], []
    for row, found in _objects(path):
        first.append(text_of(path, row, "text", found.get("text")))
        if pairs:
            second.append(text_of(path, row, "text2", found.get("text2")))
        numbers.append(number_of(path, row, _label(path, row, found), labels))
    return Examples(first, np.asarray(numbers, dtype=np.int64), seconds=second if pairs else None)


def labels_of_texts(folder: Path) -> tuple[str, ...]:
    """The labels of the training file.

    Raises:
        UsageError: when there are fewer than two.
    """
    found = {_label(folder / TRAIN, row, line) for row, line in _objects(folder / TRAIN)}
    if len(found) < 2:
        raise UsageError(f"{folder / TRAIN}: all rows have label {min(found)!r}; give rows of at least two labels")
    return tuple(sorted(found))


def tagged(path: Path, labels: tuple[str, ...]) -> Examples:
    """Rows with a tag a word.

    Raises:
        UsageError: naming file and row, for a line that is no such object, as many tags as words not given, a word with
            a space in it, or a tag whose type the training file has not.
    """
    lines, numbers = [], []
    for row, words, tags in _sentences(path):
        lines.append(" ".join(words))
        numbers += [number_of(path, row, tag, labels) for tag in tags]
    return Examples(lines, np.asarray(numbers, dtype=np.int64))


def labels_of_tags(folder: Path) -> tuple[str, ...]:
    """O, then B and I of every type in the training file.

    Raises:
        UsageError: as `tagged`.
    """
    found = {tag.rpartition("-")[0] for _, _, tags in _sentences(folder / TRAIN) for tag in tags if tag != OUTSIDE}
    return (OUTSIDE, *(f"{kind}-{place}" for kind in sorted(found) for place in "BI"))


def _sentences(path: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    for row, found in _objects(path):
        words, tags = found.get("words"), found.get("tags")
        if not isinstance(words, list) or not isinstance(tags, list) or len(words) != len(tags):
            raise UsageError(f"{path} row {row}: words and tags must be lists of the same length")
        for word in words:
            if not isinstance(word, str) or word.split() != [word]:
                raise UsageError(f"{path} row {row}: word {str(word)[:20]!r} must be a text without spaces")
        yield row, words, [_tag(path, row, tag) for tag in tags]


def _tag(path: Path, row: int, tag: object) -> str:
    if tag == OUTSIDE:
        return OUTSIDE
    text = str(tag)
    if text[:2] in ("B-", "I-") and len(text) > 2:
        return f"{text[2:]}-{text[0]}"
    if text[-2:] in ("-B", "-I") and len(text) > 2:
        return text
    raise UsageError(f"{path} row {row}: tag {text[:20]!r} must be O, or a type with B or I before or behind it: B-PER")


def _label(path: Path, row: int, found: dict[str, Any]) -> str:
    label = found.get("label")
    if not isinstance(label, (str, int)) or label == "":
        raise UsageError(f"{path} row {row}: label {str(label)[:20]!r} must be a text or a whole number")
    return str(label)


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for row, line in numbered_lines(path, f"{TRAIN} and {TEST}"):
        try:
            found = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path} row {row}: is no JSON ({error}); write one object a line") from error
        if not isinstance(found, dict):
            raise UsageError(f"{path} row {row}: is no object; write one a line")
        yield row, found
