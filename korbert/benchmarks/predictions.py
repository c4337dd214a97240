"""What was answered to each question, and how well by the question's length: for reading errors, beside the score.

`predictions.json`: a list in the order of the test file, an entry a question
    {"id", "question", "answer", "right": [texts], "f1", "exact_match",
     "best": [{"text", "begin", "score", "probability"}, ...], "no_answer"?: score}
`begin` is the character of the context. `probability` is among the entries of `best`, as in published n-best lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from korbert.benchmarks.answers import average, best, exact_match, f1
from korbert.benchmarks.batches import Answers
from korbert.benchmarks.spans import N_BEST, Question, SpanRows

PREDICTIONS = "predictions.json"
QUARTERS = 4


def predictions(answers: Answers, rows: SpanRows) -> list[dict[str, Any]]:
    """An entry for each question, see above; of answers (q, n + 1, 3)."""
    return [_entry(rows, question, line) for question, line in zip(rows.questions, answers, strict=True)]


def by_length(answers: Answers, rows: SpanRows) -> list[dict[str, Any]]:
    """F1 and exact match of each quarter of the questions by their length in characters, the shortest first.

    Quarters of equal size up to one question; of equal lengths, the earlier question counts as the shorter. With fewer
    than four questions, one group.
    """
    lengths = [len(question.text) for question in rows.questions]
    order = np.argsort(lengths, kind="stable")
    texts = rows.texts(answers)
    groups = np.array_split(order, QUARTERS if len(order) >= QUARTERS else 1)
    return [_group([int(number) for number in group], lengths, texts, rows) for group in groups]


def _group(numbers: list[int], lengths: Sequence[int], texts: Sequence[str], rows: SpanRows) -> dict[str, Any]:
    said, rights = [texts[n] for n in numbers], [rows.questions[n].rights for n in numbers]
    return {
        "characters": [lengths[numbers[0]], lengths[numbers[-1]]],
        "questions": len(numbers),
        "f1": average(f1, said, rights),
        "exact_match": average(exact_match, said, rights),
    }


def _entry(rows: SpanRows, question: Question, line: Answers) -> dict[str, Any]:
    answer, rights = rows.text(question, line), question.rights
    entry = {
        "id": question.name,
        "question": question.text,
        "answer": answer,
        "right": rights,
        "f1": best(f1, answer, rights),
        "exact_match": best(exact_match, answer, rights),
        "best": _spans(question, line),
    }
    return entry | ({"no_answer": float(line[N_BEST, 2])} if rows.may_lack else {})


def _spans(question: Question, line: Answers) -> list[dict[str, Any]]:
    found = line[:N_BEST][line[:N_BEST, 2] > -np.inf]
    weights = np.exp(found[:, 2] - found[:, 2].max(initial=-np.inf)) if len(found) else found[:, 2]
    return [
        {
            "text": question.context[int(begin) : int(end)],
            "begin": int(begin),
            "score": round(float(score), 5),
            "probability": round(float(weight / weights.sum()), 5),
        }
        for (begin, end, score), weight in zip(found, weights, strict=True)
    ]
