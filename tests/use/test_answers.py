"""Answers are those that the score was taken of, and the same one by one and all at once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from korbert import tasks
from korbert.benchmarks.answers import best, f1
from korbert.benchmarks.correlation import spearman
from korbert.benchmarks.material import encoded_examples
from korbert.use.answers import Answer, answered
from korbert.use.loading import Usable
from korbert.use.rows import Row

from .conftest import Tuned

HEADS = ["sentence", "pair", "korsts", "tags", "klue-ner", "span"]


def rows_of(task: str, folder: Path) -> tuple[list[Row], Any]:
    """The test rows as they are asked, and the task's own reading of them."""
    examples = tasks.task(task).at(folder).test(folder)
    seconds: list[str | None] = list(examples.seconds) if examples.seconds is not None else [None] * len(examples.texts)
    return [Row(text, second) for text, second in zip(examples.texts, seconds, strict=True)], examples


def accuracy(usable: Usable, answers: list[Answer], examples: Any) -> float:
    return float(np.mean([usable.labels.index(a["label"]) == g for a, g in zip(answers, examples.labels, strict=True)]))


def correlation(usable: Usable, answers: list[Answer], examples: Any) -> float:
    return spearman(np.array([answer["score"] for answer in answers]), examples.labels)


def entity_f1(usable: Usable, answers: list[Answer], examples: Any) -> float:
    """Micro F1 of entities by their characters, counted from nothing but what was answered and the file's tags."""
    right = found = wanted = done = 0
    for text, answer in zip(examples.texts, answers, strict=True):
        gold, begin = set(), 0
        for word in text.split(" "):
            label = usable.labels[examples.labels[done]]
            gold |= {(label.partition("-")[0], begin, begin + len(word))} if label != "O" else set()
            begin, done = begin + len(word) + 1, done + 1
        said = {(one["type"], one["begin"], one["end"]) for one in answer["entities"]}
        right, found, wanted = right + len(gold & said), found + len(said), wanted + len(gold)
    return 2 * right / (found + wanted) if right else 0.0


def entity_macro_f1(usable: Usable, answers: list[Answer], examples: Any) -> float:
    """As `entity_f1`, by type and with labels by character; names of this set are two characters long."""
    counts: dict[str, list[int]] = {}
    done = 0
    for text, answer in zip(examples.texts, answers, strict=True):
        gold = set()
        for place, character in enumerate(text):
            if not character.isspace():
                label = usable.labels[examples.labels[done]]
                gold |= {(label[:2], place, place + 2)} if label.endswith("-B") else set()
                done += 1
        said = {(one["type"], one["begin"], one["end"]) for one in answer["entities"]}
        for kind in {one[0] for one in gold | said}:
            of = counts.setdefault(kind, [0, 0])
            of[0] += len({one for one in gold & said if one[0] == kind})
            of[1] += sum(one[0] == kind for one in [*gold, *said])
    return float(np.mean([2 * right / both for right, both in counts.values()]))


def answer_f1(usable: Usable, answers: list[Answer], examples: Any) -> float:
    rights = [[one.text for one in several] for several in examples.answers]
    return float(np.mean([best(f1, a["answer"], right) for a, right in zip(answers, rights, strict=True)]))


SCORES: dict[str, Callable[[Usable, list[Answer], Any], float]] = {
    "sentence": accuracy, "pair": accuracy, "korsts": correlation, "tags": entity_f1, "klue-ner": entity_macro_f1,
    "span": answer_f1,
}  # fmt: skip


@pytest.mark.parametrize("task", HEADS)
def test_answers_to_the_test_file_give_the_artefacts_score(tuned: Tuned, task: str) -> None:
    usable = tuned.model(task)
    rows, examples = rows_of(task, tuned.data(task))
    answers, cut = answered(usable, rows)
    scores = json.loads((tuned.artefact(task) / "scores.json").read_text())
    assert SCORES[task](usable, answers, examples) == pytest.approx(scores["seeds"][0]["test"], abs=1e-6)
    assert cut == encoded_examples(tasks.task(task), examples, usable.tokenizer, 32)[1]


@pytest.mark.parametrize("task", HEADS)
def test_rows_at_once_are_answered_as_each_alone(tuned: Tuned, task: str) -> None:
    usable = tuned.model(task)
    rows = rows_of(task, tuned.data(task))[0][:12]
    together, _ = answered(usable, rows, tokens=200)
    assert len(together) == 12
    for row, answer in zip(rows, together, strict=True):
        close(answered(usable, [row], tokens=1)[0][0], answer)


def close(first: Any, second: Any) -> None:
    """The same, numbers up to rounding."""
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for name in first:
            close(first[name], second[name])
    elif isinstance(first, list):
        for a, b in zip(first, second, strict=True):
            close(a, b)
    else:
        assert first == (pytest.approx(second, abs=1e-4) if isinstance(second, float) else second)


def test_what_is_learned_is_answered(tuned: Tuned) -> None:
    answers, _ = answered(tuned.model("sentence"), [Row("영화 정말 최고"), Row("배우 그냥 최악")])
    assert [answer["label"] for answer in answers] == ["좋음", "나쁨"]
    for answer in answers:
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert answer["probability"] == max(answer["probabilities"].values())


@pytest.mark.parametrize("task", ["tags", "klue-ner"])
@pytest.mark.parametrize("text", ["", "  \n", "최고\t영화\n감동", "😀 최고 😀😀 감동", "영화 " * 100])
def test_entities_are_cut_out_of_the_text_by_their_places(tuned: Tuned, task: str, text: str) -> None:
    [answer], cut = answered(tuned.model(task), [Row(text)])
    assert cut == (len(text) > 100)
    for one in answer["entities"]:
        assert one["text"] == text[one["begin"] : one["end"]]
        assert one["text"] == one["text"].strip() != ""
        assert 0 < one["probability"] <= 1
    if "감동" in text:
        assert {"감동", "최고"} & {one["text"] for one in answer["entities"]}


def test_an_answer_stands_at_its_place_in_the_passage(tuned: Tuned) -> None:
    context = "영화 😀 배우 " * 30 + "최고 결말"
    [answer], _ = answered(tuned.model("span"), [Row("정말 영화", context)])
    assert answer["answer"] == context[answer["begin"] : answer["end"]] != ""
    assert answer["best"][0]["text"] == answer["answer"]
    assert all(one["text"] == context[one["begin"] : one["end"]] for one in answer["best"])


def test_rows_of_one_text_and_of_two_keep_their_places(tuned: Tuned) -> None:
    usable = tuned.model("sentence")
    rows = [Row("영화 최고"), Row("영화", "최악 결말"), Row("배우 최악"), Row("", "최고")]
    together, _ = answered(usable, rows)
    for row, answer in zip(rows, together, strict=True):
        close(answered(usable, [row])[0][0], answer)


def test_nothing_is_answered_with_nothing(tuned: Tuned) -> None:
    assert answered(tuned.model("sentence"), []) == ([], 0)


def test_the_model_is_asked_without_dropout_and_without_gradients(tuned: Tuned) -> None:
    usable = tuned.model("sentence")
    assert not usable.model.training
    assert all(not module.training for module in usable.model.modules())
    answered(usable, [Row("영화 최고")])
    assert all(parameter.grad is None for parameter in usable.model.parameters())
    assert torch.is_grad_enabled()
