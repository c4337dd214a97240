"""What was answered to each row, and how well by a question's length: for reading errors, beside the score.

`predictions.jsonl`: an object a row of the validation and of the test rows, in their order. All have
    {"split": "validation" | "test", "row"}, the row's number in its file, from 1
and by the task's head
    sentence           {"text", "text2"?, "gold", "predicted", "probability", "gold_probability"}
    score              {"text", "text2"?, "gold", "predicted"}, scores
    words, characters  {"text", "gold", "predicted"}, a tag each word, or each character that is no space
    span               {"id", "question", "answer", "right": [texts], "f1", "exact_match",
                        "best": [{"text", "begin", "score", "probability"}, ...], "no_answer"?: score}
`probability` is that of the label predicted; of a span it is among the entries of `best`, as in published n-best
lists, and `begin` is the character of the context. The file holds the texts of the task: its licence is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from korbert.benchmarks.answers import average, best, exact_match, f1
from korbert.benchmarks.batches import Answers, EncodedRows
from korbert.benchmarks.sequences import ScoreRows
from korbert.benchmarks.spans import N_BEST, Question, SpanRows
from korbert.benchmarks.tagging import TaggedRows
from korbert.tasks import Examples

PREDICTIONS = "predictions.jsonl"
QUARTERS = 4
Entry = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """The texts of rows that are asked, and their numbers in their file, from 1."""

    texts: list[tuple[str, ...]]
    rows: list[int]

    @classmethod
    def of(cls, examples: Examples, numbers: NDArray[Any], before: int) -> Asked:
        """The rows of `examples` at `numbers`; `before` them are rows of another file."""
        rows = examples.rows
        return cls([rows[number] for number in numbers], [int(number) - before + 1 for number in numbers])


def entries(split: str, asked: Asked, answers: Answers, rows: EncodedRows, labels: Sequence[str]) -> Iterator[Entry]:
    """An entry for each row, see above."""
    for number, answered in zip(asked.rows, _answered(asked, answers, rows, labels), strict=True):
        yield {"split": split, "row": number} | answered


def _answered(asked: Asked, answers: Answers, rows: EncodedRows, labels: Sequence[str]) -> Iterator[Entry]:
    if isinstance(rows, SpanRows):
        yield from predictions(answers, rows)
    elif isinstance(rows, TaggedRows):
        yield from _tagged(asked, answers, rows, labels)
    else:
        scored = isinstance(rows, ScoreRows)
        for texts, gold, answer in zip(asked.texts, rows.gold, answers, strict=True):
            yield _texts(texts) | (_scored(gold, answer) if scored else _labelled(int(gold), answer, labels))


def _texts(texts: tuple[str, ...]) -> Entry:
    return dict(zip(("text", "text2"), texts, strict=False))


def _scored(gold: float, answer: float) -> Entry:
    return {"gold": float(gold), "predicted": round(float(answer), 5)}


def _labelled(gold: int, probabilities: Answers, labels: Sequence[str]) -> Entry:
    chosen = int(probabilities.argmax())
    return {
        "gold": labels[gold],
        "predicted": labels[chosen],
        "probability": round(float(probabilities[chosen]), 5),
        "gold_probability": round(float(probabilities[gold]), 5),
    }


def _tagged(asked: Asked, answers: Answers, rows: TaggedRows, labels: Sequence[str]) -> Iterator[Entry]:
    begin = 0
    for texts, end in zip(asked.texts, rows.word_ends, strict=True):
        gold, predicted = ([labels[int(tag)] for tag in side[begin:end]] for side in (rows.gold, answers))
        yield _texts(texts) | {"gold": gold, "predicted": predicted}
        begin = int(end)


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
