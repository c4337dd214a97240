"""KLUE's scores of labels are those of the libraries that its baseline code calls."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score as seqeval_f1
from seqeval.scheme import IOB2
from sklearn import metrics as sklearn_metrics

from korbert.benchmarks import classes

TAGS = ("O", "PS-B", "PS-I", "OG-B", "OG-I")


def drawn(seed: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    size = int(generator.integers(1, 80))
    gold = generator.integers(0, labels, size)
    return np.where(generator.random(size) < 0.6, gold, generator.integers(0, labels, size)), gold


def test_f1_is_scikit_learns_over_many_draws() -> None:
    for seed in range(60):
        labels = 2 + seed % 6
        predicted, gold = drawn(seed, labels)
        macro = sklearn_metrics.f1_score(gold, predicted, average="macro", zero_division=0)
        assert classes.macro_f1(predicted, gold) == pytest.approx(macro, abs=1e-15)
        every = sklearn_metrics.f1_score(gold, predicted, labels=range(labels), average="macro", zero_division=1)
        assert classes.macro_f1_of_all(predicted, gold, labels) == pytest.approx(every, abs=1e-15)
        some = sklearn_metrics.f1_score(gold, predicted, labels=range(1, labels), average="micro", zero_division=0)
        assert classes.micro_f1(predicted, gold, 0) == pytest.approx(some, abs=1e-15)


def test_areas_are_scikit_learns_over_many_draws_with_ties() -> None:
    generator = np.random.default_rng(0)
    for seed in range(60):
        _, gold = drawn(seed, 4)
        probabilities = np.round(generator.dirichlet(np.ones(4), len(gold)), 1 + seed % 3)
        areas = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a label without a row
            for label in range(4):
                found = sklearn_metrics.precision_recall_curve(gold == label, probabilities[:, label])
                areas.append(sklearn_metrics.auc(found[1], found[0]))
        assert classes.auprc(probabilities, gold) == pytest.approx(np.mean(areas), abs=1e-12)


def test_alike_is_three_or_more() -> None:
    assert classes.binary_f1(np.array([3.0, 2.9, 4.0]), np.array([3.1, 3.0, 1.0])) == pytest.approx(0.5)


@given(st.lists(st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=12), min_size=1))
def test_entities_are_seqevals_strict_ones(rows: list[list[tuple[str, str]]]) -> None:
    gold, predicted = [[a for a, _ in row] for row in rows], [[b for _, b in row] for row in rows]
    sides = [
        [["O" if tag == "O" else f"{tag[-1]}-{tag[:-2]}" for tag in row] for row in side] for side in (gold, predicted)
    ]
    ours = classes.entity_macro_f1(gold, predicted)
    if not any(tag.startswith("B") for side in sides for row in side for tag in row):
        assert ours == 0.0
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = seqeval_f1(*sides, average="macro", mode="strict", scheme=IOB2, zero_division=0)
    assert ours == pytest.approx(theirs, abs=1e-12)
