"""A row is checked before any model sees it, and what it must look like is said by head and task."""

from pathlib import Path
from typing import Any

import pytest

from korbert import tasks
from korbert.use.rows import LONGEST, PAIRED, BadRow, Row, Shape

FREE, SINGLE, PAIRS, SPAN = Shape(False, None), Shape(False, False), Shape(False, True), Shape(True, True)


@pytest.mark.parametrize(
    ("shape", "fields", "row"),
    [
        (SINGLE, {"text": "좋다", "label": "1"}, Row("좋다")),
        (SINGLE, {"text": ""}, Row("")),
        (SINGLE, {"words": ["서울", "에서"]}, Row("서울 에서")),
        (FREE, {"text": "가", "text2": None}, Row("가")),
        (FREE, {"text": "가", "text2": "나"}, Row("가", "나")),
        (PAIRS, {"text": "가", "text2": ""}, Row("가", "")),
        (SPAN, {"question": "누구?", "context": "그는 왔다", "text": "x"}, Row("누구?", "그는 왔다")),
    ],
)
def test_a_row_is_read_from_an_object(shape: Shape, fields: dict[str, Any], row: Row) -> None:
    assert shape.row(fields) == row


@pytest.mark.parametrize(
    ("shape", "fields", "said"),
    [
        (SINGLE, {}, "has no field text"),
        (SINGLE, {"text": 3}, "text must be a text"),
        (SINGLE, {"text": "가", "text2": "나"}, "has two texts; this model asks for one"),
        (SINGLE, {"words": ["가", 3]}, "has no field text"),
        (PAIRS, {"text": "가"}, "has one text; this model asks for two"),
        (PAIRS, {"text": "가", "text2": ["나"]}, "text2 must be a text"),
        (SPAN, {"question": "누구?"}, "has no field context"),
        (SPAN, {"question": " ", "context": "가"}, "must not be empty"),
        (SINGLE, {"text": "가\ud800"}, "half a character at 1"),
        (SINGLE, {"text": "a" * (LONGEST + 1)}, "1,000,001 characters"),
    ],
)
def test_a_bad_row_says_why(shape: Shape, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRow, match=said):
        shape.row(fields)


@pytest.mark.parametrize(
    ("head", "task", "shape"),
    [
        ("sentence", "nsmc", SINGLE),
        ("sentence", "paws", PAIRS),
        ("sentence", "", FREE),
        ("score", "", PAIRS),
        ("words", "", SINGLE),
        ("characters", "klue-ner", SINGLE),
        ("span", "korquad", SPAN),
    ],
)
def test_head_and_task_say_what_a_row_is(head: str, task: str, shape: Shape) -> None:
    assert Shape.of(head, task) == shape


def test_the_tasks_of_pairs_are_those_whose_files_hold_two_texts(shared_data: Path) -> None:
    looked = set()
    for name in tasks.names():
        folder, task = shared_data / "benchmarks" / name, tasks.task(name)
        if folder.is_dir() and task.head in ("sentence", "score"):
            assert (task.at(folder).test(folder).seconds is not None) == (name in PAIRED), name
            looked.add(name)
    assert {"nsmc", "paws", "korsts"} <= looked
    assert set(tasks.names()) >= PAIRED
