"""Scores of label numbers beyond plain accuracy, as KLUE defines them (klue_baseline/metrics/functional.py).

n rows, c labels. All answer 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]


def macro_f1(predicted: Numbers, gold: Numbers) -> float:
    """Mean F1 over the labels that occur in either of (n,), as YNAT is scored (scikit-learn's average="macro")."""
    present = np.union1d(predicted, gold)
    return float(np.mean([_f1(predicted == label, gold == label) for label in present]))


def micro_f1(predicted: Numbers, gold: Numbers, without: int) -> float:
    """F1 over all rows and labels but label `without`, as KLUE-RE is scored; 0 where nothing is right."""
    right = int(((predicted == gold) & (gold != without)).sum())
    answered, expected = int((predicted != without).sum()), int((gold != without).sum())
    return 2 * right / (answered + expected) if right else 0.0


def auprc(probabilities: NDArray[Any], gold: Numbers) -> float:
    """Mean over all labels of the area under precision over recall, as KLUE-RE is scored, `no_relation` included.

    Args:
        probabilities: (n, c).
        gold: (n,) label numbers.
    """
    return float(np.mean([_area(probabilities[:, c], gold == c) for c in range(probabilities.shape[1])]))


def macro_f1_of_all(predicted: Numbers, gold: Numbers, labels: int) -> float:
    """Mean F1 over all `labels`, 1 for one that occurs on neither side, as KLUE-NER's characters are scored."""
    each = [_f1(predicted == label, gold == label, nothing=1.0) for label in range(labels)]
    return float(np.mean(each))


def binary_f1(predicted: Numbers, gold: Numbers, threshold: float = 3.0) -> float:
    """F1 of "alike": a score of `threshold` or more, as KLUE-STS reports it beside the correlation."""
    return _f1(predicted >= threshold, gold >= threshold)


def strict_entities(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """(type, first, last) of the entities of suffix tags (PER-B, PER-I, O), read strictly as IOB2: an I that no B or I
    of its type precedes belongs to nothing."""
    found: set[tuple[str, int, int]] = set()
    kind, begin = "", 0
    for place, tag in enumerate([*tags, "O"]):
        now, _, mark = tag.rpartition("-")
        if kind and (mark != "I" or now != kind):
            found.add((kind, begin, place - 1))
            kind = ""
        if mark == "B":
            kind, begin = now, place
    return found


def entity_macro_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """Mean over the entities' types of their F1, strictly read, as KLUE-NER is scored; 0 without any entity."""
    sides = [
        {(row, *entity) for row, tags in enumerate(side) for entity in strict_entities(tags)}
        for side in (gold, predicted)
    ]
    kinds = sorted({entity[1] for side in sides for entity in side})
    scores = []
    for kind in kinds:
        expected, answered = ({entity for entity in side if entity[1] == kind} for side in sides)
        scores.append(2 * len(expected & answered) / (len(expected) + len(answered)))
    return float(np.mean(scores)) if scores else 0.0


def _f1(predicted: NDArray[np.bool_], gold: NDArray[np.bool_], nothing: float = 0.0) -> float:
    both, either = int((predicted & gold).sum()), int(predicted.sum()) + int(gold.sum())
    return 2 * both / either if either else nothing


def _area(scores: NDArray[Any], right: NDArray[np.bool_]) -> float:
    """Under the straight lines between the points (recall, precision) at every threshold, and (0, 1)."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(right[order])[ends]
    precision = hits / (ends + 1)
    # A label that no row has is found whole at every threshold, as scikit-learn has it.
    recall = hits / hits[-1] if hits[-1] else np.ones(len(ends))
    return float(np.trapezoid(np.append(1.0, precision), np.append(0.0, recall)))
