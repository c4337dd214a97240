"""How an answer is compared with the right ones, as KorQuAD 1.0 and as KLUE-MRC do it; scores from 0 to 1.

KorQuAD (its official script, evaluate-v1.0.py): texts are normalised; exact match is equality; F1 is over the multisets
of CHARACTERS without white space. Particles are not stripped. Two texts of which nothing is left, such as two of
punctuation alone, match exactly and have F1 0: they share no character.

KLUE-MRC (klue_baseline/metrics/utils.py): brackets and quotes that are not ASCII stay, because the official pattern for
them asks for a whole sequence of characters and never matches; "ROUGE-W" is the F-measure of the longest common run of
characters. The only right answer to a question without one is no text.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

KORQUAD_BLANKS = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))
"""Become a space before anything is deleted: they part words."""
PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation))
"""Deleted: 3.5 becomes 35."""

Compare = Callable[[str, str], float]
"""Of an answer and a right one."""


def normalized(text: str) -> str:
    """The text as KorQuAD compares it."""
    return " ".join(text.translate(KORQUAD_BLANKS).lower().translate(PUNCTUATION).split())


def exact_match(answer: str, right: str) -> float:
    """1 if both are the same once normalised."""
    return float(normalized(answer) == normalized(right))


def f1(answer: str, right: str) -> float:
    """Harmonic mean of precision and recall over the characters, each as often as it occurs."""
    said, gold = ("".join(normalized(text).split()) for text in (answer, right))
    shared = sum((Counter(said) & Counter(gold)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(gold)
    return (2 * precision * recall) / (precision + recall)


def klue_normalized(text: str) -> str:
    """The text as KLUE-MRC compares it."""
    return " ".join(text.lower().translate(PUNCTUATION).split())


def klue_exact_match(answer: str, right: str) -> float:
    """1 if both are the same once normalised KLUE's way."""
    return float(klue_normalized(answer) == klue_normalized(right))


def rouge_w(answer: str, right: str) -> float:
    """KLUE's ROUGE-W: F-measure of the longest common run of characters, blanks included."""
    said, gold = klue_normalized(answer), klue_normalized(right)
    if not gold:
        return float(not said)
    run = SequenceMatcher(None, said, gold).find_longest_match(0, len(said), 0, len(gold)).size
    if not run:
        return 0.0
    precision, recall = run / len(said), run / len(gold)
    return 2 * (precision * recall) / (precision + recall)


def best(compare: Compare, answer: str, rights: Sequence[str]) -> float:
    """The highest score over all right answers; no text is the only right one where there is none."""
    return max(compare(answer, right) for right in (rights or ("",)))


def average(compare: Compare, answers: Sequence[str], rights: Sequence[Sequence[str]]) -> float:
    """Mean of each question's best score, summed in their order as the official script does; at least one question."""
    total = 0.0
    for answer, several in zip(answers, rights, strict=True):
        total += best(compare, answer, several)
    return total / len(answers)
