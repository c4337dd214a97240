"""Files of rows: JSON Lines, plain texts or tables, compressed or not; a line that holds no row says why.

    .jsonl  {"text"}, {"text", "text2"}, {"words"} or {"question", "context"}; "id", where there is one, is kept
    .txt    a text a line, an empty line is an empty text
    .tsv    columns by a header that names `text` or `document` (and `text2`, or `question` and `context`, and `id`);
            without one the first column, and the second where the model asks for two texts. No quoting.
.zst, .gz, .bz2 and .xz behind any of them. Lines end at \\n alone; a \\r before it is dropped.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

import fsspec

from korbert.errors import UsageError
from korbert.use.rows import BadRow, Row, Shape

FORMATS = ("jsonl", "txt", "tsv")
STDIN = "-"
COMPRESSED = (".zst", ".gz", ".bz2", ".xz")
SPELLINGS = {"document": "text", "sentence": "text", "sentence1": "text", "sentence2": "text2"}
"""Columns of the tasks' own files, by what they are called here."""
Parse = Callable[[str], Mapping[str, Any]]
"""A line's text to the fields of its row."""
FIELDS = {"text", "text2", "question", "context", "id"}


@dataclass(frozen=True)
class Line:
    """One line of a file."""

    number: int
    """From 1; a header counts."""
    row: Row | None
    """None: it holds none, see `why`."""
    why: str = ""
    name: Any = None
    """Its `id`, if it has one."""


def format_of(path: str, named: str = "") -> str:
    """The format of a file, by its name unless it is `named`.

    Raises:
        UsageError: when neither tells.
    """
    bare = path
    for ending in COMPRESSED:
        bare = bare.removesuffix(ending)
    found = named or (bare.rpartition(".")[2] if path != STDIN else "txt")
    if found not in FORMATS:
        raise UsageError(f"{path}: its name does not tell its format; add --format: one of {', '.join(FORMATS)}")
    return found


def count_lines(path: str) -> int:
    """Lines of a file, those that hold no row included; for the time left."""
    with _opened(path) as handle:
        return sum(1 for _ in handle)


def read_lines(path: str, form: str, shape: Shape) -> Iterator[Line]:
    """Every line in its order; blank lines of .jsonl and .tsv are passed over.

    Args:
        path: A file, or STDIN.
        form: One of FORMATS.
        shape: What the model's rows look like.

    Raises:
        UsageError: when the file cannot be read.
    """
    with _opened(path) as handle:
        parse: Parse | None = {"jsonl": _object, "txt": _text}.get(form)
        for number, raw in enumerate(handle, 1):
            raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            try:
                text = raw.removesuffix(b"\n").removesuffix(b"\r").decode()
            except UnicodeDecodeError as error:
                yield Line(number, None, f"is not UTF-8 ({error.reason} at byte {error.start})")
                continue
            if form != "txt" and not text.strip():
                continue
            if parse is None:  # a table's first line
                header = _header(text)
                parse = partial(_cells, shape, header)
                if header:
                    continue
            yield _line(number, text, parse, shape)


def _line(number: int, text: str, parse: Parse, shape: Shape) -> Line:
    name = None
    try:
        fields = parse(text)
        name = fields.get("id")
        return Line(number, shape.row(fields), name=name)
    except BadRow as error:
        return Line(number, None, str(error), name)


def _text(text: str) -> Mapping[str, Any]:
    return {"text": text}


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise BadRow(f"is a {type(found).__name__}, not an object")
    return found


def _header(text: str) -> tuple[str, ...]:
    """The columns' names; none where the first line is no header."""
    names = tuple(SPELLINGS.get(cell, cell) for cell in text.split("\t"))
    return names if {"text", "question"} & set(names) else ()


def _cells(shape: Shape, header: Sequence[str], text: str) -> Mapping[str, Any]:
    cells = text.split("\t")
    if header and len(cells) != len(header):
        raise BadRow(f"has {len(cells)} columns, its header {len(header)}")
    names = header or (("question", "context") if shape.span else ("text", "text2")[: 2 if shape.paired else 1])
    return {name: cell for name, cell in zip(names, cells, strict=False) if name in FIELDS}


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    try:
        if path == STDIN:
            yield sys.stdin.buffer
        else:
            with fsspec.open(path, "rb", compression="infer") as handle:
                # zstandard's reader has no lines of its own.
                yield io.BufferedReader(handle, 1 << 20)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "ends too early"
        raise UsageError(f"{path}: {reason}; name a file that can be read") from error
    except Exception as error:
        # zstandard, zlib and lzma raise error classes of their own for a damaged frame.
        if type(error).__name__ not in ("ZstdError", "BadGzipFile", "LZMAError", "error"):
            raise
        raise UsageError(f"{path}: damaged compression ({error}); copy the file again") from error
