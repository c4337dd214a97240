"""What a model answers to rows, as objects that JSON can hold; many rows at once answer as each alone would.

n rows. Answers by head
    sentence           {"label", "probability", "probabilities": {label: p}}
    score              {"score"}
    words, characters  {"entities": [{"type", "text", "begin", "end", "probability"}]}
    span               {"answer", "begin", "end", "probability", "best": [...], "no_answer"?: score}
`begin` and `end` count characters (code points) of the text, or of the passage, as it was given; `end` is one past the
last. An entity's probability is the mean over its words, or characters, of the probability of the tag each was given;
an answer's is among the best spans.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from korbert.benchmarks.batches import EVALUATION_TOKENS, Answers, EncodedRows, encoded, evaluation_batches
from korbert.benchmarks.characters import CharacterRows, character_rows
from korbert.benchmarks.classes import strict_entities
from korbert.benchmarks.classifier import logits
from korbert.benchmarks.entities import Entity, entities
from korbert.benchmarks.material import UNITS
from korbert.benchmarks.sequences import SequenceRows, sequence_rows
from korbert.benchmarks.spans import N_BEST, Question, SpanRows, span_rows
from korbert.benchmarks.tagging import TaggedRows, tagged_rows
from korbert.tasks import Examples, words
from korbert.tasks.squad import Questions
from korbert.use.loading import Usable
from korbert.use.rows import Row

Answer = dict[str, Any]
Advance = Callable[[int], None]
"""Told how many more rows (windows, with passages) are done."""
DIGITS = 6
SHOWN_SPANS = 5


def answered(
    usable: Usable, rows: Sequence[Row], tokens: int = EVALUATION_TOKENS, advance: Advance = lambda _: None
) -> tuple[list[Answer], int]:
    """The answer to each row, in their order, and how many rows were cut.

    Args:
        usable: The model.
        rows: As its `shape` checked them.
        tokens: Of a batch at most.
        advance: See Advance.
    """
    if not rows:
        return [], 0
    pairs = np.asarray([row.second is not None for row in rows])
    if pairs.any() and not pairs.all():  # a row of one text must not look like a pair with an empty one
        return _mixed(usable, rows, pairs, tokens, advance)
    given, cut = _encoded(usable, rows)
    if isinstance(given, SpanRows):
        return _spans(usable, given, tokens, advance), cut
    if isinstance(given, TaggedRows):
        return _entities(usable, given, [row.text for row in rows], tokens, advance), cut
    found: list[Answer] = [{}] * len(rows)
    for numbers, scores in _asked(usable, given, tokens, advance):
        for number, line in zip(numbers, scores, strict=True):
            found[number] = _score(line) if usable.head == "score" else _label(usable.labels, line)
    return found, cut


def _mixed(
    usable: Usable, rows: Sequence[Row], pairs: NDArray[np.bool_], tokens: int, advance: Advance
) -> tuple[list[Answer], int]:
    found: list[Answer] = [{}] * len(rows)
    cut = 0
    for kind in (pairs, ~pairs):
        numbers = np.flatnonzero(kind).tolist()
        some, shortened = answered(usable, [rows[number] for number in numbers], tokens, advance)
        cut += shortened
        for number, answer in zip(numbers, some, strict=True):
            found[number] = answer
    return found, cut


def _encoded(usable: Usable, rows: Sequence[Row]) -> tuple[EncodedRows, int]:
    """The rows as fine-tuning encodes them; labels, which nobody knows, are 0."""
    texts, most = [row.text for row in rows], usable.max_tokens
    if usable.head == "span":
        return span_rows(_questions(rows, usable.may_lack), usable.tokenizer, most, usable.limits)
    count = sum(map(UNITS[usable.head], texts)) if usable.head in UNITS else len(rows)
    labels = np.zeros(count, dtype=np.int64)
    if usable.head == "words":
        return tagged_rows(Examples(texts, labels), usable.tokenizer, most)
    if usable.head == "characters":
        return character_rows(Examples(texts, labels), usable.tokenizer, most)
    seconds = [row.second for row in rows if row.second is not None]
    if not seconds:
        return encoded(texts, labels, usable.tokenizer, most)
    return sequence_rows(SequenceRows, Examples(texts, labels, seconds=seconds), usable.tokenizer, most)


def _questions(rows: Sequence[Row], may_lack: bool) -> Questions:
    return Questions(
        texts=[row.text for row in rows], labels=np.zeros(len(rows), dtype=np.int64),
        seconds=[row.second or "" for row in rows], ids=[str(number) for number in range(len(rows))],
        answers=[()] * len(rows), may_lack=may_lack,
    )  # fmt: skip


def _asked(
    usable: Usable, rows: EncodedRows, tokens: int, advance: Advance
) -> Iterable[tuple[NDArray[np.int64], torch.Tensor]]:
    """Numbers of each batch's rows and their scores, shortest rows first."""
    for numbers in evaluation_batches(rows.lengths, tokens):
        with torch.inference_mode():
            scores = logits(usable.model, rows, numbers, usable.tokenizer.pad)
        yield numbers, scores
        advance(len(numbers))


def _label(labels: Sequence[str], scores: torch.Tensor) -> Answer:
    probabilities = scores.double().softmax(-1).tolist()
    best = int(scores.argmax())
    each = {name: round(value, DIGITS) for name, value in zip(labels, probabilities, strict=True)}
    return {"label": labels[best], "probability": round(probabilities[best], DIGITS), "probabilities": each}


def _score(scores: torch.Tensor) -> Answer:
    return {"score": float(scores[0])}


def _spans(usable: Usable, rows: SpanRows, tokens: int, advance: Advance) -> list[Answer]:
    answers = rows.blank()
    for numbers, scores in _asked(usable, rows, tokens, advance):
        rows.fill(answers, numbers, rows.best(scores, numbers))
    return [_span(rows, question, line) for question, line in zip(rows.questions, answers, strict=True)]


def _span(rows: SpanRows, question: Question, line: Answers) -> Answer:
    """A question's answer, of its (n + 1, 3)."""
    found = line[:N_BEST][line[:N_BEST, 2] > -np.inf]
    weights = np.exp(found[:, 2] - found[:, 2].max(initial=-np.inf)) if len(found) else found[:, 2]
    best = [
        _place(question.context, int(begin), int(end), float(weight))
        for (begin, end, _), weight in zip(found[:SHOWN_SPANS], weights / weights.sum(), strict=False)
    ]
    text = rows.text(question, line)
    answer = {"answer": text} | (dict.fromkeys(("begin", "end", "probability")) if not text else _without_text(best[0]))
    lacking = {"no_answer": round(float(line[N_BEST, 2]), DIGITS)} if rows.may_lack else {}
    return answer | {"best": best} | lacking


def _place(context: str, begin: int, end: int, probability: float) -> Answer:
    return {"text": context[begin:end], "begin": begin, "end": end, "probability": round(probability, DIGITS)}


def _without_text(place: Answer) -> Answer:
    return {name: value for name, value in place.items() if name != "text"}


def _entities(usable: Usable, rows: TaggedRows, texts: Sequence[str], tokens: int, advance: Advance) -> list[Answer]:
    labels, sure = rows.blank(), np.zeros(len(rows.gold))
    for numbers, scores in _asked(usable, rows, tokens, advance):
        rows.fill(labels, numbers, rows.best(scores, numbers))
        _spread(rows, sure, numbers, scores.double().softmax(-1).amax(-1).cpu().numpy())
    begins = [0, *rows.word_ends[:-1].tolist()]
    found = []
    for text, begin, end in zip(texts, begins, rows.word_ends.tolist(), strict=True):
        places = _characters(text) if isinstance(rows, CharacterRows) else words(text)
        tags = [usable.labels[number] for number in labels[begin:end]]
        whole = sorted(strict_entities(tags), key=lambda one: one[1]) if usable.head == "characters" else entities(tags)
        found.append({"entities": [_entity(text, places, sure[begin:end], one) for one in whole]})
    return found


def _spread(rows: TaggedRows, sure: NDArray[np.float64], numbers: NDArray[np.int64], best: Answers) -> None:
    """Writes the probability of each token's label (b, t) to the words or characters that it answers."""
    if not isinstance(rows, CharacterRows):
        rows.fill(sure, numbers, best)
        return
    for line, number in zip(best, numbers, strict=True):
        first, last = (int(rows.ends[number - 1]) if number else 0), int(rows.ends[number])
        begin = int(rows.word_ends[number - 1]) if number else 0
        for value, place, count in zip(line, rows.firsts[first:last], rows.covers[first:last], strict=False):
            sure[begin + place : begin + place + count] = value


def _characters(text: str) -> list[tuple[int, int]]:
    return [(place, place + 1) for place, character in enumerate(text) if not character.isspace()]


def _entity(text: str, places: Sequence[tuple[int, int]], sure: NDArray[np.float64], entity: Entity) -> Answer:
    kind, first, last = entity
    begin, end = places[first][0], places[last][1]
    probability = round(float(sure[first : last + 1].mean()), DIGITS)
    return {"type": kind, "text": text[begin:end], "begin": begin, "end": end, "probability": probability}
