"""NSMC: Naver film reviews, one a line, `id<TAB>document<TAB>label` under a header line.

Traps of the files, and what the published accuracies do about them: five training and three test documents are empty
and stay in; quotes inside documents are doubled and stay so (read with quoting off); a document may hold exotic line
separators, so lines end at \\n alone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from korbert.errors import UsageError
from korbert.tasks import Examples, Task, numbered_lines
from korbert.tasks.sources import NSMC, github

COLUMNS = ("id", "document", "label")
LABELS = ("negative", "positive")
TRAIN, TEST = "ratings_train.txt", "ratings_test.txt"


def read(path: Path) -> Examples:
    """All rows of a file in NSMC's format.

    Raises:
        UsageError: naming file and row, for a missing or empty file, another header, a row with other than three
            columns, a label that is neither 0 nor 1, or bytes that are not UTF-8.
    """
    lines = numbered_lines(path, f"{TRAIN} and {TEST}")
    _check_header(path, next(lines)[1])
    rows = [_review(path, number, line) for number, line in lines]
    if not rows:
        raise UsageError(f"{path}: holds a header and no review; add one review a line")
    return Examples([text for text, _ in rows], np.asarray([label for _, label in rows], dtype=np.int64))


def _check_header(path: Path, line: str) -> None:
    if tuple(line.split("\t")) != COLUMNS:
        raise UsageError(f"{path} row 1: is {line[:60]!r}, not NSMC's header; write 'id<TAB>document<TAB>label' there")


def _review(path: Path, number: int, line: str) -> tuple[str, int]:
    columns = line.split("\t")
    if len(columns) != len(COLUMNS):
        raise UsageError(
            f"{path} row {number}: has {len(columns)} columns, not 3; "
            "write id<TAB>document<TAB>label, without tabs inside"
        )
    if columns[2] not in ("0", "1"):
        raise UsageError(f"{path} row {number}: label {columns[2][:20]!r} must be 0 (negative) or 1 (positive)")
    return columns[1], int(columns[2])


TASK = Task(
    labels=LABELS,
    head="sentence",
    metric="accuracy",
    files=lambda _: (TRAIN, TEST),
    train=lambda folder: read(folder / TRAIN),
    test=lambda folder: read(folder / TEST),
    licence="CC0-1.0",
    source="https://github.com/e9t/nsmc",
    downloads=(
        github(NSMC, TRAIN, size=14628807, sha256="e03b7d14e9e41be8d464a28057cd25d7396c53e67aa7fd5f7e552c59b0ee2940"),
        github(NSMC, TEST, size=4893335, sha256="8ac9f64052f11dbf6ae0acb5e038f03d90a76f0eda7820cfb3a92d02edfcebda"),
    ),
)
