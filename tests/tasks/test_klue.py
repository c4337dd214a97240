"""KLUE's single texts: headlines, relations with their entities marked, and characters with tags."""

import json
from pathlib import Path
from typing import Any

import pytest

from korbert import tasks
from korbert.errors import UsageError
from korbert.tasks import klue_ner, klue_re, klue_ynat

SENTENCE = "새빛의 대표 김하늘은 웃었다"
RELATION: dict[str, Any] = {
    "sentence": SENTENCE, "label": "org:top_members/employees",
    "subject_entity": {"word": "새빛", "start_idx": 0, "end_idx": 1, "type": "ORG"},
    "object_entity": {"word": "김하늘", "start_idx": 7, "end_idx": 9, "type": "PER"},
}  # fmt: skip
COMMENT = "## klue-ner-v1_dev_00000-x\t<새빛:OG>에 <김:PS>\n"
TAGGED = f"## 주석 : ##\n{COMMENT}새\tB-OG\n빛\tI-OG\n에\tO\n \tO\n김\tB-PS\n\n#\tO\n2\tB-QT\n"


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "file"
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def test_headlines_have_their_section(tmp_path: Path) -> None:
    examples = klue_ynat.read(written(tmp_path, [{"guid": "1", "title": "새빛, 첫 승", "label": "스포츠"}]))
    assert (examples.texts, examples.labels.tolist()) == (["새빛, 첫 승"], [6])


def test_entities_stand_between_signs_whichever_comes_first(tmp_path: Path) -> None:
    examples = klue_re.read(written(tmp_path, [RELATION]))
    assert examples.texts == ["@ 새빛 @의 대표 # 김하늘 #은 웃었다"]
    assert klue_re.LABELS[examples.labels[0]] == RELATION["label"]
    turned = {**RELATION, "subject_entity": RELATION["object_entity"], "object_entity": RELATION["subject_entity"]}
    assert klue_re.read(written(tmp_path, [turned])).texts == ["# 새빛 #의 대표 @ 김하늘 @은 웃었다"]


def test_relations_are_klues_thirty() -> None:
    assert len(set(klue_re.LABELS)) == 30
    assert klue_re.LABELS[0] == "no_relation"


def test_characters_have_tags_and_spaces_none(tmp_path: Path) -> None:
    sentences = klue_ner.read(written(tmp_path, TAGGED))
    assert [text for text, _, _ in sentences] == ["새빛에 김", "#2"]
    examples = klue_ner.examples(sentences)
    assert [klue_ner.LABELS[n] for n in examples.labels] == ["OG-B", "OG-I", "O", "PS-B", "O", "QT-B"]


def test_without_a_training_file_the_development_file_is_divided(tmp_path: Path) -> None:
    (tmp_path / klue_ner.TEST).write_text("".join(f"{n}\tO\n\n" for n in range(10)), encoding="utf-8")
    task = klue_ner.TASK
    assert task.train(tmp_path).texts == list("01234567")
    assert task.test(tmp_path).texts == list("89")
    assert "stand-in" in task.remark(tmp_path)
    (tmp_path / klue_ner.TRAIN).write_text("가\tO\n", encoding="utf-8")
    assert (len(task.train(tmp_path).texts), len(task.test(tmp_path).texts)) == (1, 10)
    assert task.remark(tmp_path) == ""


@pytest.mark.parametrize(
    ("read", "content", "said"),
    [
        (klue_ynat.read, [{"title": "가", "label": "연예"}], "row 1: label '연예' must be one of: 정치"),
        (klue_re.read, [{**RELATION, "label": "per:friend"}], "row 1: label 'per:friend' must be one of"),
        (klue_re.read, [{**RELATION, "object_entity": {"word": "김"}}], "row 1: object_entity must hold word"),
        (
            klue_re.read,
            [{**RELATION, "object_entity": {"word": "김하늘", "start_idx": 6, "end_idx": 8}}],
            "row 1: object_entity '김하늘' is not the sentence's text at 6-8",
        ),
        (klue_re.read, [{**RELATION, "object_entity": RELATION["subject_entity"]}], "overlap"),
        (klue_ner.read, "## 주석\n", "holds no sentence"),
        (klue_ner.read, "새\tO\n빛\n", "row 2: is '빛'; write one character<TAB>tag"),
        (klue_ner.read, "새빛\tO\n", "row 1: is '새빛"),
        (klue_ner.read, "새\tB-XX\n", "row 1: tag 'B-XX' must be O"),
    ],
    ids=range(9),
)
def test_a_broken_file_is_refused_by_file_and_row(tmp_path: Path, read: Any, content: object, said: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(UsageError) as refusal:
        read(path)
    assert said in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.shared
def test_the_real_characters_are_read_whole(shared_data: Path) -> None:
    folder = shared_data / "benchmarks" / "klue-ner"
    task = tasks.task("klue-ner")
    train, test = task.train(folder), task.test(folder)
    assert (len(train.texts), len(test.texts)) == (4_000, 1_000)
    begun = sum(label % 2 for part in (train, test) for label in part.labels.tolist())
    assert begun == 4418 + 3151 + 2312 + 2182 + 1649 + 545 - 2  # the file's B- lines, but for those on a space
    assert sum(part.counts["entities_begun_on_a_space"] for part in (train, test)) == 2
    for part in (train, test):
        assert len(part.labels) == sum(not character.isspace() for text in part.texts for character in text)
