"""Measures of kept predictions agree with scikit-learn's, and listings show the errors they say."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from korbert.benchmarks import errors
from korbert.benchmarks.blocks import Listing, Paragraph, Table
from korbert.benchmarks.scored import read_scores

Make = Callable[..., Path]
Entry = dict[str, Any]


def labelled(split: str, count: int, labels: list[str], seed: int) -> list[Entry]:
    draw = random.Random(seed)
    entries = []
    for row in range(1, count + 1):
        gold, predicted, sure = draw.choice(labels), draw.choice(labels), round(draw.uniform(0.5, 1), 5)
        rest = sure if gold == predicted else 1 - sure
        entries.append({"split": split, "row": row, "text": f"글 {row}", "gold": gold, "predicted": predicted,
                        "probability": sure, "gold_probability": rest})  # fmt: skip
    return entries


def blocks(make: Make, task: str, predictions: list[Entry], count: int = 5, split: str = "test") -> list[Any]:
    (scored,) = read_scores([str(make(task, "accuracy", [0.8], 10, predictions=predictions))])
    return errors.blocks(scored, count, split)


def test_the_matrix_and_the_measures_are_scikit_learns(make_scores: Make) -> None:
    entries = labelled("test", 300, ["negative", "positive"], 1)
    matrix, by_class = [b for b in blocks(make_scores, "nsmc", entries) if isinstance(b, Table)]
    gold, predicted = [e["gold"] for e in entries], [e["predicted"] for e in entries]
    order = ["negative", "positive"]
    expected = confusion_matrix(gold, predicted, labels=order)
    assert [[cell.value for cell in row[1:3]] for row in matrix.rows] == expected.tolist()
    assert matrix.rows[0][1].note == f"{100 * expected[0][0] / expected[0].sum():.1f} %"
    measured = precision_recall_fscore_support(gold, predicted, labels=order)
    for place, row in enumerate(by_class.rows):
        assert [cell.value for cell in row[1:]] == pytest.approx([column[place] for column in measured])


def test_the_most_confident_errors_come_first_and_no_row_twice(make_scores: Make) -> None:
    entries = labelled("test", 100, ["negative", "positive"], 2)
    confident, drawn = [b for b in blocks(make_scores, "nsmc", entries, count=7) if isinstance(b, Listing)]
    wrong = sorted((e for e in entries if e["gold"] != e["predicted"]), key=lambda e: -e["probability"])
    shown = [[item.lines[0][1][0].text for item in listing.items] for listing in (confident, drawn)]
    assert shown[0] == [entry["text"] for entry in wrong[:7]]
    assert (len(shown[1]), set(shown[0]) & set(shown[1])) == (7, set())
    assert set(shown[1]) <= {entry["text"] for entry in wrong}
    assert (confident.of, drawn.of) == (len(wrong), len(wrong) - 7)


def test_listings_are_of_the_split_that_is_asked_for_and_measures_of_the_test_rows(make_scores: Make) -> None:
    entries = [*labelled("validation", 20, ["negative"], 1), *labelled("test", 50, ["negative", "positive"], 3)]
    found = blocks(make_scores, "nsmc", entries, split="validation")
    assert "Listed: validation rows" in next(b.text for b in found if isinstance(b, Paragraph))
    assert sum(row[-1].value or 0 for row in next(b for b in found if isinstance(b, Table)).rows) == 50
    assert [listing.items for listing in found if isinstance(listing, Listing)] == [()]


def test_many_labels_are_told_by_their_commonest_confusions(make_scores: Make) -> None:
    labels = [f"type {number}" for number in range(15)]
    entries = labelled("test", 400, labels, 4)
    confusions, by_class = [b for b in blocks(make_scores, "sentence", entries) if isinstance(b, Table)]
    counts = [row[2].value for row in confusions.rows]
    assert counts == sorted(counts, key=lambda n: -(n or 0))
    gold, predicted, count, _ = confusions.rows[0]
    pairs = [(e["gold"], e["predicted"]) for e in entries]
    assert pairs.count((gold.text, predicted.text)) == count.value
    assert len(by_class.rows) == 15


def test_both_texts_of_a_pair_are_shown_and_scores_by_how_far_they_are_off(make_scores: Make) -> None:
    offs = [(0.5, 0.4), (4.0, 0.2), (2.2, 2.9)]
    entries = [
        {"split": "test", "row": n, "text": f"가 {n}", "text2": f"나 {n}", "gold": gold, "predicted": predicted}
        for n, (gold, predicted) in enumerate(offs, 1)
    ]
    found = blocks(make_scores, "korsts", entries, count=2)
    (by_range,) = [b for b in found if isinstance(b, Table)]
    assert [row[0].text for row in by_range.rows] == ["0 to below 1", "2 to below 3", "4 to below 5"]
    assert by_range.rows[2][4].value == pytest.approx(3.8)
    farthest = next(b for b in found if isinstance(b, Listing))
    assert [item.title for item in farthest.items] == [
        "row 2: gold 4.00, predicted 0.20", "row 3: gold 2.20, predicted 2.90",
    ]  # fmt: skip
    assert [(name, pieces[0].text) for name, pieces in farthest.items[0].lines] == [
        ("first", "가 2"),
        ("second", "나 2"),
    ]
