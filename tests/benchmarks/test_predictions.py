"""What is kept of the answers: the n best of each question, and scores by the length of the question."""

from pathlib import Path

import numpy as np
import pytest

from korbert.benchmarks.answers import average, exact_match, f1
from korbert.benchmarks.batches import Answers
from korbert.benchmarks.predictions import by_length, predictions
from korbert.benchmarks.spans import N_BEST, SpanRows, span_rows
from korbert.benchmarks.tokens import load_tokenizer
from korbert.benchmarks.windows import Limits
from korbert.tasks.squad import Answer, Questions

CONTEXT = "서울은 한강이 지난다"


def made(encoder: Path, lengths: list[int], right: list[bool], may_lack: bool = False) -> tuple[SpanRows, Answers]:
    """Questions of these lengths, each answered with 서울, which is right or not."""
    count = len(lengths)
    asked = Questions(
        texts=["가" * length for length in lengths], labels=np.zeros(count, dtype=np.int64), seconds=[CONTEXT] * count,
        ids=[f"q{n}" for n in range(count)], may_lack=may_lack,
        answers=[(Answer("서울", 0, 2) if good else Answer("한강", 4, 6),) for good in right],
    )  # fmt: skip
    rows, _ = span_rows(asked, load_tokenizer(encoder), 32, Limits())
    answers = rows.blank()
    answers[:, 0] = (0, 2, 5.0)
    answers[:, 1] = (4, 6, 5.0 + np.log(0.25))
    answers[:, N_BEST, 2] = -1.5
    return rows, answers


def test_an_entry_has_the_answer_the_right_ones_and_the_n_best(encoder: Path) -> None:
    rows, answers = made(encoder, [3, 4], [True, False], may_lack=True)
    first, second = predictions(answers, rows)
    assert first == {
        "id": "q0", "question": "가가가", "answer": "서울", "right": ["서울"], "f1": 1.0, "exact_match": 1.0,
        "best": [
            {"text": "서울", "begin": 0, "score": 5.0, "probability": 0.8},
            {"text": "한강", "begin": 4, "score": pytest.approx(3.61371), "probability": 0.2},
        ],
        "no_answer": -1.5,
    }  # fmt: skip
    assert (second["right"], second["f1"], second["exact_match"]) == (["한강"], 0.0, 0.0)


def test_a_question_that_was_not_answered_has_no_best_and_no_answer(encoder: Path) -> None:
    rows, _ = made(encoder, [3], [True])
    (entry,) = predictions(rows.blank(), rows)
    assert (entry["answer"], entry["best"], entry["f1"]) == ("", [], 0.0)
    assert "no_answer" not in entry


def test_quarters_by_length_make_up_the_whole_score(encoder: Path) -> None:
    lengths = [9, 1, 5, 5, 2, 7, 3, 8, 6]
    right = [length < 6 for length in lengths]
    rows, answers = made(encoder, lengths, right)
    quarters = by_length(answers, rows)
    assert [quarter["questions"] for quarter in quarters] == [3, 2, 2, 2]
    assert [quarter["characters"] for quarter in quarters] == [[1, 3], [5, 5], [6, 7], [8, 9]]
    assert [quarter["exact_match"] for quarter in quarters] == [1.0, 1.0, 0.0, 0.0]
    texts, rights = rows.texts(answers), [question.rights for question in rows.questions]
    for name, compare in (("f1", f1), ("exact_match", exact_match)):
        whole = sum(quarter[name] * quarter["questions"] for quarter in quarters) / len(lengths)
        assert whole == pytest.approx(average(compare, texts, rights))


def test_three_questions_are_one_group(encoder: Path) -> None:
    rows, answers = made(encoder, [1, 2, 3], [True, False, False])
    (group,) = by_length(answers, rows)
    assert (group["questions"], group["exact_match"]) == (3, pytest.approx(1 / 3))
