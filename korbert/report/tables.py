"""Tables and small blocks of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from korbert.report.charts import run_colour
from korbert.report.markup import Markup, joined, tag
from korbert.report.runs import Run


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], *, text: int = 1, winner: int = -1
) -> Markup:
    """A table whose first `text` columns are words and whose others are numbers, aligned right.

    The row at index `winner` is set off. Wide tables scroll in their own box, reachable by keyboard.
    """
    header = tag("tr", *(tag("th", name, scope="col", class_=_side(i, text)) for i, name in enumerate(head)))
    body = [
        tag("tr", _first(cells[0]), *_cells(cells, text), class_="winner" if index == winner else None)
        for index, cells in enumerate(rows)
    ]
    whole = tag("table", tag("caption", caption), tag("thead", header), tag("tbody", *body))
    return tag("div", whole, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _first(cell: object) -> Markup:
    return tag("th", cell, scope="row")


def _cells(cells: Sequence[object], text: int) -> list[Markup]:
    return [tag("td", cell, class_=_side(index, text)) for index, cell in enumerate(cells) if index]


def _side(index: int, text: int) -> str | None:
    return "n" if index >= text else None


def tiles(figures: Iterable[tuple[str, str]]) -> Markup:
    """Large numbers with a word below: (words, number) each."""
    return tag("div", *(tag("div", tag("b", number), tag("span", words), class_="tile") for words, number in figures),
               class_="tiles")  # fmt: skip


def section(identity: str, title: str, *children: object) -> Markup:
    """A part of the page that the navigation leads to."""
    return tag("section", tag("h2", title, id=identity), *children, aria_labelledby=identity)


def card(*children: object, wide: bool = False) -> Markup:
    """A framed block."""
    return tag("div", *children, class_="card wide" if wide else "card")


def figure(title: str, drawing: Markup, caption: str = "") -> Markup:
    """A framed chart."""
    words = tag("figcaption", caption) if caption else None
    return tag("figure", tag("h3", title), drawing, words, class_="card")


def fold(summary: str, *children: object) -> Markup:
    """What is there on demand."""
    return tag("details", tag("summary", summary), *children)


def absent(words: str) -> Markup:
    """A part that the run does not have."""
    return tag("p", words, class_="absent")


def run_heading(runs: Sequence[Run], number: int) -> Markup | None:
    """The run's name above its part; nothing when there is only one run."""
    return tag("h3", swatch(runs[number].name, run_colour(number))) if len(runs) > 1 else None


def swatch(words: str, colour: str) -> Markup:
    """A name behind a dot of its colour."""
    return tag("span", words, class_=f"swatch {colour}")


def legend(entries: Iterable[tuple[str, str]]) -> Markup:
    """What the colours mean: (words, colour) each."""
    return tag("ul", *(tag("li", swatch(words, colour)) for words, colour in entries), class_="legend")


def notes(lines: Sequence[str]) -> Markup | None:
    """What could not be read; nothing when all could."""
    return tag("div", *(tag("p", line) for line in lines), class_="notes", role="note") if lines else None


def many(parts: Iterable[object]) -> Markup:
    """The parts one after another."""
    return joined(*parts)
