"""Wrong answers are listed with what was right and what came next; lengths and overlaps are counted."""

from korbert.benchmarks import error_spans
from korbert.benchmarks.blocks import Listing, Table


def entry(row: int, answer: str, right: list[str], f1: float, probability: float) -> dict[str, object]:
    best = [{"text": answer, "begin": 0, "score": 1.0, "probability": probability}]
    best += [{"text": f"다음 {n}", "begin": 9, "score": 0.5, "probability": 0.01} for n in range(9)]
    return {"split": "test", "row": row, "id": f"q{row}", "question": f"물음 {row}?", "answer": answer, "right": right,
            "f1": f1, "exact_match": float(f1 == 1), "best": best if answer else []}  # fmt: skip


ROWS = [
    entry(1, "서울", ["서울"], 1.0, 0.9), entry(2, "서울에", ["서울"], 0.8, 0.6), entry(3, "한강", ["서울"], 0.0, 0.7),
    entry(4, "", ["서울", "경성"], 0.0, 0.0),
]  # fmt: skip


def test_the_surest_wrong_answers_come_first_with_the_next_best() -> None:
    found = error_spans.blocks(ROWS, ROWS, [], 2)
    surest, drawn = [block for block in found if isinstance(block, Listing)]
    assert [item.title for item in surest.items] == ["row 3, q3: F1 0.0", "row 2, q2: F1 80.0"]
    lines = {name: pieces[0].text for name, pieces in surest.items[0].lines}
    assert (lines["question"], lines["right"], lines["answer"]) == ("물음 3?", "서울", "한강")
    assert lines["best"].startswith("한강 (0.700); 다음 0 (0.010)")
    assert lines["best"].count(";") == error_spans.SHOWN_SPANS - 1
    assert {name: pieces[0].text for name, pieces in drawn.items[0].lines}["right"] == "서울 / 경성"
    assert surest.of == 3


def test_every_answer_is_in_one_kind_and_lengths_are_as_scored() -> None:
    group = {"characters": [3, 9], "questions": 4, "f1": 0.45, "exact_match": 0.25}
    kinds, lengths = [block for block in error_spans.blocks(ROWS, ROWS, [group], 1) if isinstance(block, Table)]
    assert [row[1].value for row in kinds.rows] == [1, 1, 1, 1]
    assert [cell.text for cell in lengths.rows[0]] == ["3-9", "4", "25.00", "45.00"]
