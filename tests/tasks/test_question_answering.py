"""Tasks of questions on a text: which file is trained on, which is tested on, and what is left out."""

import json
from pathlib import Path

import pytest

from korbert import tasks
from korbert.errors import UsageError
from korbert.tasks import klue_mrc, korquad, span, wiki_qa, wiki_qa_korquad
from korbert.tasks.squad import Questions

SPAN_TASKS = ("klue-mrc", "korquad", "span", "wiki-qa", "wiki-qa-korquad")


def write(path: Path, contexts: list[str], mark: str = "q") -> None:
    """One question a context: which is its first word?"""
    paragraphs = [
        {"context": text, "qas": [{
            "id": f"{mark}{number}", "question": "처음은?", "answers": [{"text": text.split()[0], "answer_start": 0}],
        }]}
        for number, text in enumerate(contexts)
    ]  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"data": [{"title": "글", "paragraphs": paragraphs}]}), encoding="utf-8")


@pytest.mark.parametrize("name", SPAN_TASKS)
def test_both_files_are_read_and_the_score_is_reported_with_exact_matches(name: str, tmp_path: Path) -> None:
    task = tasks.task(name)
    train, test = task.files(tmp_path)
    write(tmp_path / train, ["하나 둘", "셋 넷"])
    write(tmp_path / test, ["다섯 여섯"])
    examples = task.train(tmp_path)
    assert isinstance(examples, Questions)
    assert examples.contexts == ["하나 둘", "셋 넷"]
    assert [answers[0].text for answers in examples.answers] == ["하나", "셋"]
    assert task.test(tmp_path).seconds == ["다섯 여섯"]
    assert task.head == "span"
    assert len(task.also) == 1
    assert "exact_match" in task.also[0]


@pytest.mark.parametrize("name", ["span", "wiki-qa", "wiki-qa-korquad"])
def test_training_questions_on_a_tested_context_are_dropped(name: str, tmp_path: Path) -> None:
    task = tasks.task(name)
    train, test = task.files(tmp_path)
    write(tmp_path / train, ["하나 둘", "셋 넷", "다섯 여섯"])
    write(tmp_path / test, ["다섯 여섯"])
    examples = task.train(tmp_path)
    assert examples.seconds == ["하나 둘", "셋 넷"]
    assert examples.counts["dropped_questions"] == 1


def test_stand_ins_say_so(tmp_path: Path) -> None:
    for task in (wiki_qa.TASK, wiki_qa_korquad.TASK):
        assert "not comparable" in task.remark(tmp_path)
    assert korquad.TASK.remark(tmp_path) == ""


def test_klue_is_scored_as_klue_does_and_korquad_as_korquad_does() -> None:
    assert (klue_mrc.TASK.metric, klue_mrc.TASK.also) == ("rouge_w", ("klue_exact_match",))
    assert (korquad.TASK.metric, korquad.TASK.also) == ("f1", ("exact_match",))
    assert (span.TASK.metric, span.TASK.also) == ("f1", ("exact_match",))


def test_korquad_does_not_take_questions_without_an_answer(tmp_path: Path) -> None:
    qas = [{"id": "q", "question": "왜?", "answers": [], "is_impossible": True}]
    data = {"data": [{"title": "글", "paragraphs": [{"context": "글", "qas": qas}]}]}
    (tmp_path / korquad.TEST).write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(UsageError, match="question q: has no answers"):
        korquad.TASK.test(tmp_path)


def test_the_original_files_are_read_whole_and_every_answer_stands_at_its_offset(shared_data: Path) -> None:
    folder = shared_data / "benchmarks"
    repaired = {"recomposed_answers": 0, "moved_answers": 0, "unplaced_answers": 0}
    test = korquad.TASK.test(folder / "korquad")
    assert (len(test.texts), test.counts) == (5774, repaired)
    train, own = wiki_qa.TASK.train(folder / "wiki-qa"), wiki_qa.TASK.test(folder / "wiki-qa")
    assert (len(train.texts), train.counts) == (3870, repaired | {"dropped_questions": 77})
    assert (len(own.texts), own.counts) == (240, repaired)
    mixed = wiki_qa_korquad.TASK.train(folder)
    assert (len(mixed.texts), mixed.counts) == (3947, repaired | {"dropped_questions": 0})
    for questions in (test, train, own):
        assert isinstance(questions, Questions)
        for context, answers in zip(questions.contexts, questions.answers, strict=True):
            assert [context[answer.begin : answer.end] for answer in answers] == [answer.text for answer in answers]
