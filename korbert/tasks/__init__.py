"""Benchmark tasks, a module each: the original files, the labels, the head, the metric, the split, licence and source.

A module here that holds a `TASK` is a task; nothing lists it anywhere else, and its file's name, with dashes, is the
task's. The package is light on purpose: configs check a task's name, and the chain digests its files, without torch.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from korbert.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Examples:
    """A file's rows in their order."""

    texts: list[str]
    labels: NDArray[Any]
    """Numbers into the task's labels. Head `sentence`: (rows,). Head `words`: (words of all texts,) in their order.
    Head `score`: (rows,) the scores themselves, floats."""
    counts: dict[str, int] = field(default_factory=dict)
    """What the files hold besides, for the artefact's manifest."""
    seconds: list[str] | None = None
    """The other text of each row, where rows are pairs."""

    @property
    def empty(self) -> int:
        """Texts without a character; they count like any other."""
        return sum(not text.strip() for text in self.texts + (self.seconds or []))

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The text, or the two texts, of each row."""
        if self.seconds is None:
            return [(text,) for text in self.texts]
        return list(zip(self.texts, self.seconds, strict=True))


@dataclass(frozen=True)
class Download:
    """One file at its owner's address, and how it is known to be the right one."""

    name: str
    """In the task's folder."""
    url: str
    sha256: str = ""
    """Of the whole file; empty where none has been taken of an original."""
    size: int = 0
    """Bytes; 0: not known."""
    git_blob: str = ""
    """Git's own SHA-1 of the file, from the owner's commit that the address names: for files without a sha256."""


@dataclass(frozen=True)
class Task:
    """One benchmark."""

    labels: tuple[str, ...]
    """Name of each label, 0 first. Head `words`: O, then suffix tags like PER-B and PER-I."""
    head: str
    """What is put on the encoder: `sentence` (one label a row, of one text or two), `score` (one number a row), `words`
    (one label a word between spaces), `characters` (one a character that is no space) or `span` (an answer in a text).
    """
    metric: str
    """Name of the score that chooses and is compared, one of benchmarks.metrics.METRICS."""
    files: Callable[[Path], tuple[str, ...]]
    """Names of the files that the task reads in a folder, there or not."""
    train: Callable[[Path], Examples]
    """Reads a folder's rows to train on."""
    test: Callable[[Path], Examples]
    """Reads a folder's rows for the score."""
    licence: str
    source: str
    """Where the files and their format come from."""
    validation: Callable[[Path], Examples] | None = None
    """Reads the rows to choose by; None: a share of the training rows is held out."""
    remark: Callable[[Path], str] = lambda _: ""
    """What must stand beside a score on this folder, such as that it is a stand-in's; empty: nothing."""
    also: tuple[str, ...] = ()
    """Further metrics that are reported beside the first; they choose nothing."""
    by_folder: Callable[[Path], dict[str, Any]] | None = None
    """Fields of the task that depend on what a folder's files hold, such as labels; see `at`."""
    downloads: tuple[Download, ...] = ()
    """The original files at their owners' addresses."""
    by_hand: str = ""
    """Where to get what `downloads` cannot hold."""

    def at(self, folder: Path) -> Task:
        """The task as it is with this folder's files.

        Raises:
            UsageError: for files that it must read for that, and that are missing or break the format.
        """
        return self if self.by_folder is None else replace(self, **self.by_folder(folder))


@cache
def names() -> tuple[str, ...]:
    """Every task's name."""
    return tuple(sorted(name.replace("_", "-") for _, name, package in pkgutil.iter_modules(__path__) if not package))


def task(name: str) -> Task:
    """The task of a name that `names` has."""
    assert name in names()
    found = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").TASK
    assert isinstance(found, Task)
    return found


def words(text: str) -> list[tuple[int, int]]:
    """Where each word between spaces begins and ends, in characters; the same words as str.split gives."""
    return [match.span() for match in _WORD.finditer(text)]


def numbered_lines(path: Path, needs: str) -> Iterator[tuple[int, str]]:
    """(row, line) of a UTF-8 text file, rows from 1; lines end at \\n alone, a \\r before it is dropped.

    Args:
        path: The file.
        needs: What the folder must hold, for the message about a file that is not there.

    Raises:
        UsageError: for a missing or empty file, or bytes that are not UTF-8.
    """
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a folder that holds {needs}") from error
    if not lines[-1].strip():
        lines.pop()  # what follows the last line's end
    if not lines:
        raise UsageError(f"{path}: is empty; name a folder that holds {needs}")
    for number, line in enumerate(lines, 1):
        try:
            yield number, line.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"{path} row {number}: is not UTF-8 ({error.reason} at byte {error.start}); convert the file to UTF-8"
            ) from error
