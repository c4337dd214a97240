"""Tasks of two texts are read as their published scores read them, and broken files are refused by file and row."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from korbert import tasks
from korbert.errors import UsageError
from korbert.tasks import Examples, Task, klue_nli, klue_sts, kornli, korsts, paws, question_pair

KORSTS = "\t".join(korsts.COLUMNS) + "\n"
KORNLI = "\t".join(kornli.COLUMNS) + "\n"
PAWS = "\t".join(paws.COLUMNS) + "\n"
QUESTIONS = "\t".join(question_pair.COLUMNS) + "\n"
NLI = {"premise": "비가 온다", "hypothesis": "날이 궂다", "gold_label": "entailment"}
STS = {"sentence1": "가", "sentence2": "나", "labels": {"real-label": 3.5}}


def put(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def test_scores_are_floats_and_quotes_are_text(tmp_path: Path) -> None:
    line = 'main-news\tx\t2015\t1\t2.400\t"새빛은 온다\t새빛이 "왔다\n'
    examples = korsts.read(put(tmp_path, korsts.TRAIN, KORSTS + line))
    assert examples.rows == [('"새빛은 온다', '새빛이 "왔다')]
    assert examples.labels.tolist() == [2.4]
    assert examples.labels.dtype == np.float64


def test_zero_means_the_same_question(tmp_path: Path) -> None:
    examples = question_pair.read(put(tmp_path, question_pair.TRAIN, QUESTIONS + "가\t가\t0\n가\t나\t1\n"))
    assert [question_pair.LABELS[label] for label in examples.labels] == ["same", "different"]


def test_untranslated_rows_stay_in_and_are_counted(tmp_path: Path) -> None:
    examples = paws.read(put(tmp_path, paws.TEST, PAWS + "1\tNS\t나\t0\n2\t다\t라\t1\n3\tNS\tNS\t1\n"))
    assert len(examples.rows) == 3
    assert examples.counts == {"untranslated_rows": 2}
    assert [paws.LABELS[label] for label in examples.labels] == ["different", "same", "same"]


def test_entailment_is_read_from_lists_of_objects(tmp_path: Path) -> None:
    examples = klue_nli.read(put(tmp_path, klue_nli.TRAIN, [NLI, {**NLI, "gold_label": "contradiction"}]))
    assert examples.rows[0] == ("비가 온다", "날이 궂다")
    assert examples.labels.tolist() == [0, 2]


def test_klues_likeness_is_the_annotators_raw_mean(tmp_path: Path) -> None:
    assert klue_sts.read(put(tmp_path, klue_sts.TEST, [STS])).labels.tolist() == [3.5]


def test_paws_without_a_training_file_stands_in_and_holds_rows_out(tmp_path: Path) -> None:
    put(tmp_path, paws.VALIDATION, PAWS + "1\t가\t나\t0\n")
    put(tmp_path, paws.TEST, PAWS + "1\t다\t라\t1\n")
    task = paws.TASK.at(tmp_path)
    assert task.validation is None
    assert "stand-in" in task.remark(tmp_path)
    assert task.train(tmp_path).texts == ["가"]
    put(tmp_path, paws.TRAIN, PAWS + "1\t마\t바\t0\n")
    task = paws.TASK.at(tmp_path)
    assert task.validation is not None
    assert (task.train(tmp_path).texts, task.validation(tmp_path).texts) == (["마"], ["가"])
    assert task.remark(tmp_path) == ""
    assert task.files(tmp_path) == (paws.TRAIN, paws.VALIDATION, paws.TEST)


@pytest.mark.parametrize(
    ("task", "own", "other", "name", "content"),
    [
        (kornli.TASK, KORNLI + "가\t나\tneutral\n", [NLI], "klue-nli", klue_nli.TRAIN),
        (klue_sts.TASK, [STS], KORSTS + "a\tb\tc\t1\t4\t다\t라\n", "korsts", korsts.TRAIN),
    ],
    ids=["kornli", "klue-sts"],
)
def test_a_stand_in_beside_the_folder_is_used_until_the_real_training_file_is_there(
    tmp_path: Path, task: Task, own: object, other: object, name: str, content: str
) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    with pytest.raises(UsageError, match="name a folder that holds"):
        task.train(folder)
    (tmp_path / name).mkdir()
    put(tmp_path / name, content, other)
    assert len(task.train(folder).rows) == 1
    assert "stand-in" in task.remark(folder)
    assert f"../{name}/{content}" in task.files(folder)
    real = kornli.TRAIN if task is kornli.TASK else klue_sts.TRAIN
    put(folder, real, own)
    assert task.train(folder).texts == ["가"]
    assert task.remark(folder) == ""
    assert real in task.files(folder)


@pytest.mark.parametrize(
    ("read", "content", "said"),
    [
        (korsts.read, "", "is empty"),
        (korsts.read, KORSTS, "holds a header and no row"),
        (korsts.read, "a\tb\n", "row 1: is 'a\\tb'"),
        (korsts.read, KORSTS + "a\tb\tc\td\t1\t가\n", "row 2: has 6 columns, not 7"),
        (korsts.read, KORSTS + "a\tb\tc\td\t5.1\t가\t나\n", "row 2: score '5.1' must be a number from 0 to 5"),
        (korsts.read, KORSTS + "a\tb\tc\td\tnan\t가\t나\n", "row 2: score 'nan' must be"),
        (kornli.read, KORNLI + "가\t나\tmaybe\n", "row 2: label 'maybe' must be one of: entailment, neutral"),
        (question_pair.read, QUESTIONS + "가\t나\t2\n", "row 2: label '2' must be one of: 0, 1"),
        (paws.read, PAWS + "1\t가\t나\t0\n\n", "row 3: has 1 columns, not 4"),
        (klue_nli.read, "{}", "must be a JSON list"),
        (klue_nli.read, "[", "is no JSON"),
        (klue_nli.read, [NLI, {"premise": "가"}], "row 2: has no field 'hypothesis'"),
        (klue_nli.read, [NLI, 3], "row 2: is no object"),
        (klue_nli.read, [{**NLI, "premise": 5}], "row 1: premise = '5' must be a text"),
        (klue_sts.read, [{**STS, "labels": {"label": 3}}], "row 1: labels must hold real-label"),
        (klue_sts.read, [{**STS, "labels": {"real-label": None}}], "row 1: score 'None' must be"),
    ],
    ids=range(16),
)
def test_a_broken_file_is_refused_by_file_and_row(
    tmp_path: Path, read: Callable[[Path], Examples], content: object, said: str
) -> None:
    path = put(tmp_path, "file", content)
    with pytest.raises(UsageError) as refusal:
        read(path)
    assert said in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "rows", "commonest"),
    [
        ("klue-nli", (24_998, 3_000), (0, 8_561)),
        ("kornli", (24_998, 2_490, 5_010), (0, 8_561)),
        ("klue-sts", (5_749, 519), (0.0, 367)),
        ("korsts", (5_749, 1_500, 1_379), (0.0, 367)),
        ("question-pair", (6_136, 682, 758), (0, 4_169)),
        ("paws", (2_000, 2_000), (0, 1_160)),
    ],
)
def test_the_real_files_are_read_whole(
    shared_data: Path, name: str, rows: tuple[int, ...], commonest: tuple[float, int]
) -> None:
    folder = shared_data / "benchmarks" / name
    task = tasks.task(name).at(folder)
    reads = [task.train, *([task.validation] if task.validation else []), task.test]
    parts = [read(folder) for read in reads]
    assert tuple(len(part.rows) for part in parts) == rows
    assert Counter(parts[0].labels.tolist()).most_common(1)[0] == commonest
    assert sum(part.empty for part in parts) == 0
    if name == "paws":
        assert [part.counts["untranslated_rows"] for part in parts] == [35, 28]
