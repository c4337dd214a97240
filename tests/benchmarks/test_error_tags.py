"""Entities that went wrong are told apart, and marked in their text."""

import pytest

from korbert.benchmarks import error_tags
from korbert.benchmarks.blocks import Listing, Piece, Table
from korbert.benchmarks.entities import compared, entities

TEXT = "이재용 부회장은 서울 에서"


def entry(predicted: str, gold: str = "PER-B O LOC-B O", text: str = TEXT) -> dict[str, object]:
    return {"split": "test", "row": 1, "text": text, "gold": gold.split(), "predicted": predicted.split()}


@pytest.mark.parametrize(
    ("predicted", "found"),
    [
        ("PER-B O LOC-B O", []),
        ("O O LOC-B O", [("missed", ("PER", 0, 0))]),
        ("ORG-B O LOC-B O", [("type", ("PER", 0, 0))]),
        ("PER-B PER-I LOC-B O", [("border", ("PER", 0, 0))]),
        ("PER-B O LOC-B DAT-B", [("made up", ("DAT", 3, 3))]),
        ("O DAT-B O O", [("missed", ("PER", 0, 0)), ("missed", ("LOC", 2, 2)), ("made up", ("DAT", 1, 1))]),
    ],
    ids=["right", "missed", "type", "border", "made-up", "several"],
)
def test_each_mistake_has_its_kind(predicted: str, found: list[object]) -> None:
    assert error_tags.mistakes(entry(predicted)) == found


def test_entities_are_marked_in_the_text_as_it_is() -> None:
    row = entry("PER-B PER-I O O", text="이재용  부회장은 서울 에서")
    pieces = error_tags.marked(row, row["predicted"], entities, False)  # type: ignore[arg-type]
    assert pieces == (Piece("이재용  부회장은", "PER"), Piece(" 서울 에서"))


def test_characters_are_counted_without_spaces() -> None:
    tags = ["O", "O", "PS-B", "PS-I", "O"]
    pieces = error_tags.marked({"text": "가 나 다라 마"}, tags, entities, True)
    assert pieces == (Piece("가 나 "), Piece("다라", "PS"), Piece(" 마"))


def test_the_row_of_all_types_is_the_score_and_every_kind_is_listed() -> None:
    rows = [entry("O O LOC-B O"), entry("ORG-B O LOC-B O"), entry("PER-B PER-I LOC-B DAT-B"), entry("PER-B O LOC-B O")]
    by_type, *listings = error_tags.blocks(rows, rows, characters=False, count=5)
    assert isinstance(by_type, Table)
    whole = by_type.rows[-1]
    score = compared([row["gold"] for row in rows], [row["predicted"] for row in rows])  # type: ignore[misc]
    assert [cell.value for cell in whole[1:]] == [
        score.precision, score.recall, score.f1, score.gold, score.predicted, score.right,
    ]  # fmt: skip
    titles = [listing.title.split(":")[0] for listing in listings if isinstance(listing, Listing)]
    assert titles == ["Missed", "Wrong type", "Wrong border", "Made up"]
