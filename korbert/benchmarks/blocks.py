"""What a report of benchmarks is made of, before anything sets it as text, Markdown, LaTeX or HTML."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str
    value: float | None = None
    """What the column is sorted by; None: by its text, after all numbers."""
    mark: str = ""
    """"best" or "second" of its column."""
    note: str = ""
    """What must stand in the same cell."""


@dataclass(frozen=True)
class Table:
    """Rows under a head; the first `words` columns are words, the others numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    ours: frozenset[int] = frozenset()
    """Rows that are set off."""
    words: int = 1


@dataclass(frozen=True)
class Heading:
    """Of a part (level 2) or of a part of it (3)."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Piece:
    """A stretch of a text, marked where it has a tag."""

    text: str
    tag: str = ""


@dataclass(frozen=True)
class Item:
    """One row of a task, shown."""

    title: str
    lines: tuple[tuple[str, tuple[Piece, ...]], ...]
    """What each line is, and the line."""


@dataclass(frozen=True)
class Listing:
    """Rows of a task for reading."""

    title: str
    items: tuple[Item, ...]
    of: int
    """How many there are of which these are some."""


Block = Table | Heading | Paragraph | Listing


def plain(text: str) -> tuple[Piece, ...]:
    """A line without marks."""
    return (Piece(text),)


def ranked(cells: list[Cell]) -> list[Cell]:
    """A column's cells with the greatest value marked best and the next one second; equal values share their mark."""
    values = sorted({cell.value for cell in cells if cell.value is not None}, reverse=True)
    marks = dict(zip(values, ("best", "second"), strict=False))
    return [
        Cell(cell.text, cell.value, marks.get(cell.value, "") if cell.value is not None else "", cell.note)
        for cell in cells
    ]
