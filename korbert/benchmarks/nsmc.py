"""NSMC's files: Naver film reviews, one a line, `id<TAB>document<TAB>label` under a header line.

Source of the format: github.com/e9t/nsmc. Traps, and what the published accuracies do about them: five training and
three test documents are empty and stay in; quotes inside documents are doubled and stay so (read with quoting off);
a document may hold exotic line separators, so lines end at \\n alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from korbert.errors import UsageError

COLUMNS = ("id", "document", "label")
LABELS = ("negative", "positive")
"""Names of the labels 0 and 1."""
TRAIN, TEST = "ratings_train.txt", "ratings_test.txt"


@dataclass(frozen=True)
class Reviews:
    """A file's rows in their order."""

    texts: list[str]
    labels: NDArray[np.int64]
    """(rows,) 0 negative, 1 positive."""

    @property
    def empty(self) -> int:
        """Documents without a character; they count like any other."""
        return sum(not text.strip() for text in self.texts)


def read(path: Path) -> Reviews:
    """All rows of a file in NSMC's format.

    Raises:
        UsageError: naming file and row, for a missing or empty file, another header, a row with other than three
            columns, a label that is neither 0 nor 1, or bytes that are not UTF-8.
    """
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a folder that holds {TRAIN} and {TEST}") from error
    if not lines[-1].strip():
        lines.pop()  # what follows the last line's end
    if not lines:
        raise UsageError(f"{path}: is empty; it must hold a header line and one review a line")
    _check_header(path, _columns(path, 1, lines[0]))
    rows = [_review(path, number, line) for number, line in enumerate(lines[1:], 2)]
    if not rows:
        raise UsageError(f"{path}: holds a header and no review; add one review a line")
    return Reviews([text for text, _ in rows], np.asarray([label for _, label in rows], dtype=np.int64))


def _columns(path: Path, number: int, line: bytes) -> list[str]:
    try:
        return line.removesuffix(b"\r").decode().split("\t")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} row {number}: is not UTF-8 ({error.reason} at byte {error.start}); convert the file to UTF-8"
        ) from error


def _check_header(path: Path, columns: list[str]) -> None:
    if tuple(columns) != COLUMNS:
        shown = "\t".join(columns)[:60]
        raise UsageError(f"{path} row 1: is {shown!r}, not NSMC's header; write 'id<TAB>document<TAB>label' there")


def _review(path: Path, number: int, line: bytes) -> tuple[str, int]:
    columns = _columns(path, number, line)
    if len(columns) != len(COLUMNS):
        raise UsageError(
            f"{path} row {number}: has {len(columns)} columns, not 3; "
            "write id<TAB>document<TAB>label, without tabs inside"
        )
    if columns[2] not in ("0", "1"):
        raise UsageError(f"{path} row {number}: label {columns[2][:20]!r} must be 0 (negative) or 1 (positive)")
    return columns[1], int(columns[2])
