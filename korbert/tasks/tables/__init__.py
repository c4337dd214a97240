"""Readers that several tasks share: tables of tab-separated columns, read with quoting off, and KLUE's JSON lists.

Every error names the file and the row: of a table the line, from 1; of a list the object, from 1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from korbert.errors import UsageError
from korbert.tasks import Examples, numbered_lines

Pair = tuple[str, str, float]
"""First text, second text, and number of the label or the score."""


def table(path: Path, needs: str, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """(row, cells) of a table under a header line; quotes are text.

    Raises:
        UsageError: for a missing or empty file, another header, a row with other columns, or bytes that are not UTF-8.
    """
    lines = numbered_lines(path, needs)
    header = next(lines)[1]
    if header.split("\t") != list(columns):
        raise UsageError(f"{path} row 1: is {header[:60]!r}; write {'<TAB>'.join(columns)} there")
    empty = True
    for row, line in lines:
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise UsageError(f"{path} row {row}: has {len(cells)} columns, not {len(columns)}; write no tabs inside")
        empty = False
        yield row, cells
    if empty:
        raise UsageError(f"{path}: holds a header and no row; add one row a line")


def objects(path: Path, needs: str, fields: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(row, object) of a JSON list, each object with `fields` at least.

    Raises:
        UsageError: for a missing file, one that is no list of objects, or an object without one of the fields.
    """
    for row, found in enumerate(_list(path, needs), 1):
        if not isinstance(found, dict):
            raise UsageError(f"{path} row {row}: is no object; write one with {', '.join(fields)}")
        lacking = [name for name in fields if name not in found]
        if lacking:
            raise UsageError(f"{path} row {row}: has no field {lacking[0]!r}; write {', '.join(fields)}")
        yield row, found


def text_of(path: Path, row: int, name: str, value: object) -> str:
    """A field that must be text.

    Raises:
        UsageError: when it is none.
    """
    if not isinstance(value, str):
        raise UsageError(f"{path} row {row}: {name} = {str(value)[:20]!r} must be a text")
    return value


def number_of(path: Path, row: int, label: object, labels: Sequence[str]) -> int:
    """The number of a label.

    Raises:
        UsageError: when it is none of `labels`.
    """
    if label not in labels:
        raise UsageError(f"{path} row {row}: label {str(label)[:20]!r} must be one of: {', '.join(labels)}")
    return list(labels).index(str(label))


def score_of(path: Path, row: int, value: object, highest: float) -> float:
    """A score from 0 to `highest`.

    Raises:
        UsageError: when it is none.
    """
    try:
        score = float(str(value))
    except ValueError:
        score = math.nan
    if not 0 <= score <= highest:
        raise UsageError(f"{path} row {row}: score {str(value)[:20]!r} must be a number from 0 to {highest:g}")
    return score


def pairs(rows: Iterable[Pair], kind: type[np.generic] = np.int64) -> Examples:
    """Rows of two texts, with labels of `kind` (float64 for scores)."""
    found = list(rows)
    labels = np.asarray([label for _, _, label in found], dtype=kind)
    return Examples([first for first, _, _ in found], labels, seconds=[second for _, second, _ in found])


def beside(folder: Path, name: str, other: str) -> str:
    """Where file `name` of task `other` is, as a name within `folder`: there, or in the other task's folder beside
    it; empty: nowhere."""
    for place in (name, f"../{other}/{name}"):
        if (folder / place).is_file():
            return place
    return ""


def _list(path: Path, needs: str) -> list[Any]:
    text = "\n".join(line for _, line in numbered_lines(path, needs))
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{path}: is no JSON ({error}); get the original file again") from error
    if not isinstance(found, list) or not found:
        raise UsageError(f"{path}: must be a JSON list of at least one object")
    return found
