"""A report of benchmarks as plain text, as Markdown, and as LaTeX with booktabs."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence

from korbert.benchmarks.blocks import Block, Cell, Heading, Item, Listing, Paragraph, Piece, Table

BOLD = "Bold: best of a column; underlined: second."
LINE = 120
"""Characters of a line of running text."""
SIGNS = {"best": "*", "second": "+", "": ""}
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~#])")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "ρ": r"$\rho$", "±": r"$\pm$", "×": r"$\times$", "–": "--",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
}  # fmt: skip


def text(blocks: Sequence[Block]) -> str:
    """For a terminal: columns aligned, * best, + second."""
    return "\n\n".join(_text_block(block) for block in blocks) + "\n"


def markdown(blocks: Sequence[Block]) -> str:
    """GitHub's Markdown; what rows of a task hold is escaped."""
    return "\n\n".join(_markdown_block(block) for block in blocks) + "\n"


def latex(blocks: Sequence[Block]) -> str:
    r"""Tables for \input; they need \usepackage{booktabs}, and a Korean font where names are Korean. No listings."""
    parts = [_latex_table(block) for block in blocks if isinstance(block, Table)]
    return "% needs \\usepackage{booktabs}\n" + "\n\n".join(parts) + "\n"


def width(line: str) -> int:
    """Columns that a line takes in a terminal: Korean syllables take two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def one_line(value: str) -> str:
    """Text without line breaks and control characters, which would break lists and terminals."""
    return "".join(" " if c.isspace() else c for c in value if c.isspace() or unicodedata.category(c) != "Cc")


def marked(table: Table) -> bool:
    """Whether any cell is best or second."""
    return any(cell.mark for row in table.rows for cell in row)


def _text_block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{block.text}\n{('=' if block.level == 2 else '-') * width(block.text)}"
    if isinstance(block, Paragraph):
        return textwrap.fill(block.text, LINE)
    return _text_table(block) if isinstance(block, Table) else _text_listing(block)


def _text_table(table: Table) -> str:
    head = [[title] for title in table.head]
    signed = marked(table)
    lines = [[_text_cell(cell, signed) for cell in row] for row in table.rows]
    widths = [max(width(line) for row in [head, *lines] for line in row[place]) for place in range(len(head))]
    rule = "  ".join("-" * size for size in widths)
    body = [line for row in lines for line in _text_row(row, widths, table.words)]
    note = " * best of a column, + second." if signed else ""
    return "\n".join([table.caption.rstrip(".") + "." + note, *_text_row(head, widths, table.words), rule, *body])


def _text_cell(cell: Cell, signed: bool) -> list[str]:
    """Lines of a cell; where some figures have a sign, the others leave room for it."""
    sign = SIGNS[cell.mark] or (" " if signed and cell.value is not None else "")
    return [one_line(cell.text) + sign, *(cell.note.split(", ") if cell.note else [])]


def _text_row(cells: Sequence[Sequence[str]], widths: Sequence[int], words: int) -> list[str]:
    """The lines of one row: a cell may have several."""
    lines = []
    for number in range(max(map(len, cells))):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        padded = [
            part + " " * (size - width(part)) if place < words else " " * (size - width(part)) + part
            for place, (part, size) in enumerate(zip(parts, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def _text_listing(listing: Listing) -> str:
    lines = [f"{listing.title} ({len(listing.items)} of {listing.of:,})"]
    for item in listing.items:
        lines.append(f"- {one_line(item.title)}")
        longest = max(len(name) for name, _ in item.lines)
        lines += [f"    {name + ':':<{longest + 1}} {_pieces(pieces)}" for name, pieces in item.lines]
    return "\n".join(lines)


def _pieces(pieces: Sequence[Piece]) -> str:
    return "".join(f"[{one_line(p.text)}]{p.tag}" if p.tag else one_line(p.text) for p in pieces)


def _markdown_block(block: Block) -> str:
    if isinstance(block, Heading):
        return "#" * block.level + " " + escaped(block.text)
    if isinstance(block, Paragraph):
        return escaped(block.text)
    return _markdown_table(block) if isinstance(block, Table) else _markdown_listing(block)


def escaped(value: str) -> str:
    """Text of which Markdown makes nothing else."""
    return _MARKDOWN.sub(r"\\\1", one_line(value))


def _markdown_table(table: Table) -> str:
    sides = ["---" if place < table.words else "---:" for place in range(len(table.head))]
    rows = [table.head, sides, *([_markdown_cell(cell) for cell in row] for row in table.rows)]
    heads = [[escaped(title) for title in rows[0]], *rows[1:]]
    caption = escaped(table.caption.rstrip(".")) + "." + (f" {BOLD}" if marked(table) else "")
    return caption + "\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in heads)


def _markdown_cell(cell: Cell) -> str:
    forms = {"best": "**{}**", "second": "<u>{}</u>", "": "{}"}
    shown = forms[cell.mark].format(escaped(cell.text))
    return f"{shown}<br><sub>{escaped(cell.note)}</sub>" if cell.note else shown


def _markdown_listing(listing: Listing) -> str:
    lines = [f"**{escaped(listing.title)}** ({len(listing.items)} of {listing.of:,})", ""]
    return "\n".join(lines + [_markdown_item(item) for item in listing.items])


def _markdown_item(item: Item) -> str:
    lines = [
        f"  - {name}: " + "".join(f"**{escaped(p.text)}**`{p.tag}`" if p.tag else escaped(p.text) for p in pieces)
        for name, pieces in item.lines
    ]
    return "\n".join([f"- {escaped(item.title)}", *lines])


def _latex_table(table: Table) -> str:
    sides = "".join("l" if place < table.words else "r" for place in range(len(table.head)))
    caption = _latex(table.caption.rstrip(".")) + "." + (f" {BOLD}" if marked(table) else "")
    lines = [
        r"\begin{table}",
        r"\centering\small",
        rf"\caption{{{caption}}}",
        rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule",
    ]
    lines += [" & ".join(_latex(title) for title in table.head) + r" \\", r"\midrule"]
    first = min(table.ours, default=-1)
    for number, row in enumerate(table.rows):
        lines += [r"\midrule"] if number == first > 0 else []
        lines.append(" & ".join(_latex_cell(cell) for cell in row) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def _latex_cell(cell: Cell) -> str:
    shown = {"best": r"\textbf{%s}", "second": r"\underline{%s}", "": "%s"}[cell.mark] % _latex(cell.text)
    return shown + rf" {{\scriptsize({_latex(cell.note)})}}" if cell.note else shown


def _latex(value: str) -> str:
    return "".join(_LATEX.get(c, c) for c in one_line(value))
