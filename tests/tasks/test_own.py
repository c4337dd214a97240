"""Data sets of one's own: labels come from the training file, rows to choose by from a file where there is one."""

import json
from pathlib import Path

import pytest

from korbert import tasks
from korbert.errors import UsageError
from korbert.tasks import own


def put(folder: Path, name: str, *rows: object) -> None:
    (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def test_labels_are_the_training_files_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    put(
        tmp_path,
        own.TRAIN,
        {"text": "나", "label": "좋음"},
        {"text": "가", "label": "나쁨"},
        {"text": "다", "label": 7},
    )
    put(tmp_path, own.TEST, {"text": "라", "label": "좋음"})
    task = tasks.task("sentence").at(tmp_path)
    assert task.labels == ("7", "나쁨", "좋음")
    assert task.train(tmp_path).labels.tolist() == [2, 1, 0]
    assert (task.test(tmp_path).labels.tolist(), task.validation) == ([2], None)


def test_a_file_to_choose_by_is_used_where_it_is_there(tmp_path: Path) -> None:
    row = {"text": "가", "text2": "나", "label": "a"}
    put(tmp_path, own.TRAIN, row, {**row, "label": "b"})
    put(tmp_path, own.TEST, row)
    put(tmp_path, own.VALIDATION, {**row, "text": "다"})
    task = tasks.task("pair").at(tmp_path)
    assert task.validation is not None
    assert task.validation(tmp_path).rows == [("다", "나")]
    assert task.files(tmp_path) == (own.TRAIN, own.VALIDATION, own.TEST)


def test_tags_are_read_with_the_place_before_or_behind(tmp_path: Path) -> None:
    put(tmp_path, own.TRAIN, {"words": ["김하늘은", "새", "빛"], "tags": ["B-PER", "LOC-B", "I-LOC"]})
    put(tmp_path, own.TEST, {"words": ["갔다"], "tags": ["O"]})
    task = tasks.task("tags").at(tmp_path)
    assert task.labels == ("O", "LOC-B", "LOC-I", "PER-B", "PER-I")
    assert [task.labels[n] for n in task.train(tmp_path).labels] == ["PER-B", "LOC-B", "LOC-I"]
    assert task.train(tmp_path).texts == ["김하늘은 새 빛"]


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("sentence", {"text": 3, "label": "a"}, "row 3: text = '3' must be a text"),
        ("sentence", {"text": "가"}, "row 3: label 'None' must be a text or a whole number"),
        ("sentence", {"text": "가", "label": "c"}, "row 3: label 'c' must be one of: a, b"),
        ("sentence", [1], "row 3: is no object"),
        ("pair", {"text": "가", "label": "a"}, "row 3: text2 = 'None' must be a text"),
        ("tags", {"words": ["가"], "tags": []}, "row 3: words and tags must be lists of the same length"),
        ("tags", {"words": ["가 나"], "tags": ["O"]}, "row 3: word '가 나' must be a text without spaces"),
        ("tags", {"words": ["가"], "tags": ["PER"]}, "row 3: tag 'PER' must be O"),
        ("tags", {"words": ["가"], "tags": ["NEW-B"]}, "row 3: label 'NEW-B' must be one of"),
    ],
    ids=range(9),
)
def test_a_broken_row_is_refused_by_file_and_row(tmp_path: Path, name: str, row: object, said: str) -> None:
    good = {"text": "가", "text2": "나", "label": "a", "words": ["가"], "tags": ["PER-B"]}
    put(tmp_path, own.TRAIN, good, {**good, "label": "b"})
    put(tmp_path, own.TEST, good, good, row)
    task = tasks.task(name).at(tmp_path)
    with pytest.raises(UsageError) as refusal:
        task.test(tmp_path)
    assert said in str(refusal.value)
    assert str(tmp_path / own.TEST) in str(refusal.value)


def test_one_label_alone_is_refused(tmp_path: Path) -> None:
    put(tmp_path, own.TRAIN, {"text": "가", "label": "a"}, {"text": "나", "label": "a"})
    with pytest.raises(UsageError, match="all rows have label 'a'"):
        tasks.task("sentence").at(tmp_path)
