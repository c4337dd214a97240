"""Where answers to questions go wrong: by the question's length, and the questions with a wrong answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from korbert.benchmarks.blocks import Block, Cell, Item, Piece, Table, plain
from korbert.benchmarks.listings import Entry, two_listings

SHOWN_SPANS = 5
"""Of the n best."""


def blocks(
    test: Sequence[Entry], rows: Sequence[Entry], by_length: Sequence[Mapping[str, Any]], count: int
) -> list[Block]:
    """Measures of the test questions, and `count` wrong answers of each kind of `rows`."""
    wrong = [entry for entry in rows if not entry["exact_match"]]
    wrong.sort(key=lambda entry: -_sure(entry))
    found: list[Block] = [_by_overlap(test)]
    if by_length:
        found.append(_by_length(by_length))
    titles = ("Wrong answers with the greatest probability", "Wrong answers, drawn at random")
    return found + two_listings(titles, wrong, count, _item)


def _sure(entry: Entry) -> float:
    return float(entry["best"][0]["probability"]) if entry["best"] and entry["answer"] else 0.0


def _by_length(groups: Sequence[Mapping[str, Any]]) -> Table:
    rows = []
    for group in groups:
        low, high = group["characters"]
        scores = (Cell(f"{100 * group[name]:.2f}", group[name]) for name in ("exact_match", "f1"))
        rows.append((Cell(f"{low}-{high}", low), Cell(f"{group['questions']:,}", group["questions"]), *scores))
    head = ("characters of the question", "questions", "exact match", "F1")
    return Table("Quarters of the test questions by length, × 100", head, tuple(rows))


def _by_overlap(entries: Sequence[Entry]) -> Table:
    """How far from right the answers are."""
    kinds = {
        "exact": sum(bool(entry["exact_match"]) for entry in entries),
        "overlaps a right answer": sum(not entry["exact_match"] and entry["f1"] > 0 for entry in entries),
        "nothing right": sum(
            entry["f1"] == 0 and not entry["exact_match"] and bool(entry["answer"]) for entry in entries
        ),
        "no answer given": sum(not entry["answer"] and not entry["exact_match"] for entry in entries),
    }
    rows = tuple(
        (Cell(kind), Cell(f"{n:,}", n), Cell(f"{100 * n / len(entries):.1f} %", n)) for kind, n in kinds.items()
    )
    return Table("Answers to the test questions", ("answer", "questions", "share"), rows)


def _item(entry: Entry) -> Item:
    best = entry["best"][:SHOWN_SPANS]
    spans = [f"{span['text']} ({span['probability']:.3f})" for span in best]
    lines: list[tuple[str, tuple[Piece, ...]]] = [
        ("question", plain(entry["question"])),
        ("right", plain(" / ".join(dict.fromkeys(entry["right"])) or "(none in the context)")),
        ("answer", plain(entry["answer"] or "(none)")),
        ("best", plain("; ".join(spans) or "(none)")),
    ]
    return Item(f"row {entry['row']}, {entry['id']}: F1 {100 * entry['f1']:.1f}", tuple(lines))
