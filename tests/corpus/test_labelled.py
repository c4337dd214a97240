"""Boilerplate and personal data on a labelled set: what is found of what should be, and what else is taken.

A line of `labelled.jsonl` holds a text and what should be left of it; names and numbers are made up.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from korbert.corpus.boilerplate import strip_boilerplate
from korbert.corpus.normalize import normalize
from korbert.corpus.pii import mask
from korbert.storage import read_jsonl

LABELLED = Path(__file__).parent / "labelled.jsonl"
FLOORS = {"boilerplate": (0.99, 0.95), "personal": (0.99, 0.95)}
"""Precision and recall that may not be fallen below."""
RULES: dict[str, Callable[[str], str]] = {
    "boilerplate": lambda text: strip_boilerplate(text)[0],
    "personal": lambda text: mask(text)[0],
}


@dataclass
class Score:
    """Tokens taken away: rightly, wrongly, and those that should have been."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, text: str, expected: str, left: str) -> None:
        before = Counter(text.split())
        taken, labelled = before - Counter(left.split()), before - Counter(expected.split())
        self.right += (taken & labelled).total()
        self.wrong += (taken - labelled).total()
        self.missed += (labelled - taken).total()

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)


@pytest.mark.parametrize("name", RULES)
def test_precision_and_recall_on_the_labelled_set_are_above_their_floors(name: str) -> None:
    score, lines, clean, wrong = Score(), 0, 0, []
    for record in read_jsonl(LABELLED):
        if record["set"] != name:
            continue
        text, expected = normalize(record["text"]), normalize(record["expected"])
        left = RULES[name](text)
        score.add(text, expected, left)
        lines, clean = lines + 1, clean + (text == expected)
        if left.split() != expected.split():
            wrong.append(f"{text!r} became {left!r}")
    figures = f"precision {score.precision:.4f}, recall {score.recall:.4f}"
    print(f"{name}: {lines} lines, {clean} of them clean: {figures}", *wrong, sep="\n  ")
    assert lines >= 100
    assert clean >= lines / 4
    precision, recall = FLOORS[name]
    assert score.precision >= precision
    assert score.recall >= recall
