"""Rows in which an answer is sought: a row a window, several windows a question, answers by question.

q questions, r rows, b rows a batch, t tokens of the batch's longest row, n = N_BEST. A model answers with
(q, n + 1, 3): first character, one past the last and score of the n best spans, best first (score -inf: there are no
more), and last (0, 0, score) for "no answer": the lowest score of a window's first token, as in BERT for SQuAD 2.0. A
span's score is the sum of its two logits; of a span in several windows the highest counts.

Unlike the published code, which pairs the 20 best starts with the 20 best ends, every span of at most `answer_tokens`
tokens is considered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad as padded

from korbert.benchmarks.batches import Answers, EncodedRows, Labels, packed
from korbert.benchmarks.tokens import InputTokenizer
from korbert.benchmarks.windows import (
    Limits,
    Places,
    answer_tokens,
    in_window,
    question_room,
    window_begins,
    without_blanks,
)
from korbert.tasks.squad import NOWHERE, Answer, Questions

N_BEST = 20
NONE = np.concatenate([np.tile([0.0, 0.0, -np.inf], (N_BEST, 1)), [[0.0, 0.0, np.inf]]])
"""(n + 1, 3) a question's answers before it has been asked."""


@dataclass(frozen=True)
class Question:
    """What a question's answers are judged by."""

    name: str
    text: str
    context: str
    places: Places
    """Of the context's tokens; one array for all questions on it."""
    answers: tuple[Answer, ...]

    @property
    def rights(self) -> list[str]:
        """The texts of the right answers."""
        return [answer.text for answer in self.answers]


@dataclass(frozen=True)
class SpanRows(EncodedRows):
    """Windows, a question's side by side; `labels` (r, 2) are the row's tokens with which the answer begins and ends,
    twice the first token where the window does not hold it."""

    begins: NDArray[np.int64]
    """(r,) the row's token with which its window begins."""
    firsts: NDArray[np.int64]
    """(r,) the context's token with which its window begins."""
    sizes: NDArray[np.int64]
    """(r,) tokens of the window."""
    window_ends: NDArray[np.int64]
    """(q,) where each question's windows end."""
    questions: list[Question]
    answer_tokens: int
    """Tokens of an answer at most."""
    may_lack: bool
    """Whether a question may have no answer in its context."""

    @property
    def items(self) -> int:
        """Questions."""
        return len(self.questions)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, places that questions share counted once."""
        arrays = {id(question.places): question.places.nbytes for question in self.questions}
        own = sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))
        return own + sum(arrays.values())

    @property
    def gold(self) -> Labels:
        """(q,) whether a question has an answer; the answers themselves are texts, in `questions`."""
        return np.asarray([bool(question.answers) for question in self.questions], dtype=np.int64)

    @property
    def strata(self) -> Labels:
        """(q,) one stratum: a question has no label."""
        return np.zeros(self.items, dtype=np.int64)

    def take(self, numbers: NDArray[np.int64]) -> SpanRows:
        """The questions of these numbers with all their windows, in their order."""
        begins = np.concatenate([[0], self.window_ends[:-1]])
        ranges = [np.arange(begins[number], self.window_ends[number]) for number in numbers]
        rows = np.concatenate([*ranges, np.zeros(0, dtype=np.int64)])
        plain = packed([self.row(row) for row in rows], self.labels[rows])
        return SpanRows(
            plain.tokens, plain.ends, plain.labels, self.begins[rows], self.firsts[rows], self.sizes[rows],
            np.cumsum([len(numbers) for numbers in ranges], dtype=np.int64),
            [self.questions[number] for number in numbers], self.answer_tokens, self.may_lack,
        )  # fmt: skip

    def types(self, numbers: NDArray[np.int64], tokens: int) -> torch.Tensor:
        """(b, t) 0 for the question and 1 for the window and what closes it, padding 0."""
        places = np.arange(tokens)
        second = (places >= self.begins[numbers, None]) & (places < self.lengths[numbers, None])
        return torch.from_numpy(second.astype(np.int64))

    def blank(self) -> Answers:
        """(q, n + 1, 3)"""
        return np.tile(NONE, (self.items, 1, 1))

    def best(self, scores: torch.Tensor, numbers: NDArray[np.int64]) -> Answers:
        """(b, n + 1, 3) a window's best spans and its score for "no answer", of scores (b, 2, t)."""
        tokens, most = scores.shape[2], min(self.answer_tokens, scores.shape[2])
        places = np.arange(tokens)
        begins, ends = self.begins[numbers, None], (self.begins + self.sizes)[numbers, None]
        outside = torch.from_numpy((places < begins) | (places >= ends)).to(scores.device)
        starts, lasts = scores.masked_fill(outside[:, None], -torch.inf).unbind(1)
        # (b, t, most): the span's first token, and how many tokens more it has
        spans = starts[:, :, None] + padded(lasts, (0, most - 1), value=-torch.inf).unfold(1, most, 1)
        values, flat = spans.flatten(1).topk(min(N_BEST, tokens * most))
        first = torch.div(flat, most, rounding_mode="floor")
        found = torch.stack([first, first + flat % most], dim=-1).cpu().numpy()
        answers = np.tile(NONE, (len(numbers), 1, 1))
        answers[:, : values.shape[1], 2] = values.double().cpu().numpy()
        answers[:, N_BEST, 2] = scores[:, :, 0].double().sum(dim=1).cpu().numpy()
        for line, number, pairs in zip(answers, numbers, found, strict=True):
            self._to_characters(line, number, pairs)
        return answers

    def fill(self, answers: Answers, numbers: NDArray[np.int64], best: Answers) -> None:
        """Merges the best spans of windows into those of their questions, whatever the order of the windows."""
        asked = np.searchsorted(self.window_ends, numbers, side="right")
        for question, line in zip(asked, best, strict=True):
            answers[question, :N_BEST] = merged(answers[question, :N_BEST], line[:N_BEST])
            answers[question, N_BEST, 2] = min(answers[question, N_BEST, 2], line[N_BEST, 2])

    def texts(self, answers: Answers) -> list[str]:
        """The answer to each question; none where the first token scores higher than any span, if that may be."""
        return [self.text(question, line) for question, line in zip(self.questions, answers, strict=True)]

    def text(self, question: Question, line: Answers) -> str:
        """The best answer of a question's (n + 1, 3)."""
        (begin, end, score), none = line[0], line[N_BEST, 2]
        lacking = score == -np.inf or (self.may_lack and none > score)
        return "" if lacking else question.context[int(begin) : int(end)]

    def _to_characters(self, line: Answers, number: int, pairs: NDArray[np.int64]) -> None:
        """Writes the characters of spans given by a row's tokens `pairs` (spans, 2) into `line`."""
        question = self.questions[int(np.searchsorted(self.window_ends, number, side="right"))]
        for place, (first, last) in enumerate(pairs - self.begins[number] + self.firsts[number]):
            if line[place, 2] > -np.inf:
                line[place, :2] = question.places[first, 0], question.places[last, 1]
            else:
                line[place] = NONE[0]


def merged(first: Answers, second: Answers) -> Answers:
    """(n, 3) the n best spans of both, best first; a span that is in both has the higher score."""
    both = np.concatenate([first, second])
    both = both[np.lexsort((both[:, 1], both[:, 0], -both[:, 2]))]
    _, places = np.unique(both[:, :2], axis=0, return_index=True)
    kept = both[np.sort(places)][:N_BEST]
    return np.concatenate([kept, np.tile(NONE[0], (N_BEST - len(kept), 1))])


def span_rows(examples: Questions, tokenizer: InputTokenizer, max_tokens: int, limits: Limits) -> tuple[SpanRows, int]:
    """All windows of all questions, and how many questions were cut; a context is tokenised once for all of its own.

    The first of a question's answers that stands in its context is what training aims at, as in the published code.
    """
    frame, shared = tokenizer.frame(), _contexts(examples, tokenizer)
    room = question_room(max_tokens, frame)
    windows: list[_Window] = []
    counts: list[int] = []
    questions: list[Question] = []
    cut = 0
    for number, (ids, _) in enumerate(tokenizer.parts(examples.texts)):
        cut += len(ids) > room
        tokens, places = shared[examples.contexts[number]]
        questions.append(_question(examples, number, places))
        head = [*frame.before, *ids[:room], *frame.between]
        found = _windows(head, tokens, list(frame.after), _aim(questions[-1]), max_tokens, limits.stride)
        windows += found
        counts.append(len(found))
    return _rows(windows, counts, questions, limits.answer_tokens, examples.may_lack), cut


@dataclass(frozen=True)
class _Window:
    """One row."""

    tokens: NDArray[np.int32]
    target: tuple[int, int]
    begin: int
    first: int
    size: int


def _windows(
    head: list[int], tokens: list[int], tail: list[int], aim: tuple[int, int] | None, max_tokens: int, stride: int
) -> list[_Window]:
    """The rows of a question: `head`, a window of the context's `tokens`, `tail`."""
    room = max_tokens - len(head) - len(tail)
    found = []
    for first in window_begins(len(tokens), room, stride):
        window = tokens[first : first + room]
        target = in_window(aim, first, len(window), len(head), 0)
        row = np.asarray(head + window + tail, dtype=np.int32)
        found.append(_Window(row, target, len(head), first, len(window)))
    return found


def _rows(
    windows: list[_Window], counts: list[int], questions: list[Question], answer_tokens: int, may_lack: bool
) -> SpanRows:
    targets = np.asarray([window.target for window in windows], dtype=np.int64).reshape(-1, 2)
    plain = packed([window.tokens for window in windows], targets)
    return SpanRows(
        plain.tokens,
        plain.ends,
        plain.labels,
        begins=np.asarray([window.begin for window in windows], dtype=np.int64),
        firsts=np.asarray([window.first for window in windows], dtype=np.int64),
        sizes=np.asarray([window.size for window in windows], dtype=np.int64),
        window_ends=np.cumsum(counts, dtype=np.int64),
        questions=questions,
        answer_tokens=answer_tokens,
        may_lack=may_lack,
    )


def _question(examples: Questions, number: int, places: Places) -> Question:
    return Question(
        examples.ids[number], examples.texts[number], examples.contexts[number], places, examples.answers[number]
    )


def off_boundaries(rows: SpanRows) -> int:
    """Right answers that no run of tokens is: at an end of theirs a token goes on, such as into a particle."""
    return sum(
        answer.begin != NOWHERE and _reached(question, answer) != answer.text.strip()
        for question in rows.questions
        for answer in question.answers
    )


def _reached(question: Question, answer: Answer) -> str:
    tokens = answer_tokens(question.places, answer.begin, answer.end)
    return "" if tokens is None else question.context[question.places[tokens[0], 0] : question.places[tokens[1], 1]]


def _aim(question: Question) -> tuple[int, int] | None:
    """The tokens of the answer that training aims at."""
    for answer in question.answers:
        if answer.begin != NOWHERE:
            return answer_tokens(question.places, answer.begin, answer.end)
    return None


def _contexts(examples: Questions, tokenizer: InputTokenizer) -> dict[str, tuple[list[int], Places]]:
    """Tokens and their places of every context, tokenised once."""
    contexts = list(dict.fromkeys(examples.contexts))
    return dict(zip(contexts, _placed(contexts, tokenizer), strict=True))


def _placed(contexts: list[str], tokenizer: InputTokenizer) -> Iterator[tuple[list[int], Places]]:
    for context, (ids, offsets) in zip(contexts, tokenizer.parts(contexts), strict=True):
        yield ids, without_blanks(context, np.asarray(offsets, dtype=np.int32).reshape(-1, 2))
