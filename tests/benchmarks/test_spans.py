"""Answers are found in whatever window they are, and come back as the text of the original context."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from korbert.benchmarks.spans import N_BEST, SpanRows, merged, off_boundaries, span_rows
from korbert.benchmarks.tokens import InputTokenizer, load_tokenizer
from korbert.benchmarks.windows import Limits
from korbert.tasks.squad import LABELS, NOWHERE, Answer, Questions, placed

FILLER = "영화 배우 연출 음악 결말 정말 그냥 다시 "
WHOLE = "𝒳서"
"""One token: the unknown one, as the vocabulary lacks the first character."""
QUESTION = "무엇이 좋다고 했나?"


def questions(*asked: tuple[str, list[str]], may_lack: bool = False) -> Questions:
    """Of (context, answers that it holds once)."""
    return Questions(
        texts=[QUESTION] * len(asked), labels=np.zeros(len(asked), dtype=np.int64),
        seconds=[context for context, _ in asked], ids=[f"q{n}" for n in range(len(asked))],
        answers=[tuple(placed(context, text, context.find(text))[0] for text in texts) for context, texts in asked],
        may_lack=may_lack,
    )  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer(encoder: Path) -> InputTokenizer:
    return load_tokenizer(encoder)


def rows_of(tokenizer: InputTokenizer, asked: Questions, max_tokens: int = 40, stride: int = 8) -> SpanRows:
    return span_rows(asked, tokenizer, max_tokens, Limits(stride, answer_tokens=12))[0]


def scores_for(rows: SpanRows, numbers: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> torch.Tensor:
    """(b, 2, t) scores of 1 for the first and last token of each row in `wanted` (b, 2), 0 for the others."""
    scores = torch.zeros(len(numbers), 2, int(rows.lengths[numbers].max()))
    for line, (first, last) in enumerate(wanted):
        scores[line, 0, first] = scores[line, 1, last] = 1
    return scores


def answered(rows: SpanRows, wanted: np.ndarray[Any, Any], seed: int = 0) -> np.ndarray[Any, Any]:
    """The answers when each row scores its `wanted` tokens, asked in batches of three in any order."""
    answers = rows.blank()
    for numbers in np.array_split(np.random.default_rng(seed).permutation(len(rows)), -(-len(rows) // 3)):
        rows.fill(answers, numbers, rows.best(scores_for(rows, numbers, wanted[numbers]), numbers))
    return answers


@pytest.mark.parametrize("before", [0, 3, 6, 9])
def test_an_answer_anywhere_in_a_long_context_is_found_by_its_window(tokenizer: InputTokenizer, before: int) -> None:
    context = FILLER * before + "감동 최고" + " " + FILLER * (9 - before)
    rows = rows_of(tokenizer, questions((context, ["감동 최고"])))
    holding = (rows.labels != 0).any(axis=1)
    assert 0 < holding.sum() < len(rows)
    assert rows.texts(answered(rows, rows.labels)) == ["감동 최고"]


def test_rows_are_question_then_window_and_windows_hold_every_token(tokenizer: InputTokenizer) -> None:
    context = FILLER * 8
    rows = rows_of(tokenizer, questions((context, ["영화 배우"]), ("짧다", ["짧다"])))
    (ids, _), (question, _) = next(iter(tokenizer.parts([context]))), next(iter(tokenizer.parts([QUESTION])))
    frame = tokenizer.frame()
    assert rows.window_ends[-1] == len(rows)
    assert rows.items == 2
    seen = set()
    for number in range(rows.window_ends[0]):
        first, size, begin = rows.firsts[number], rows.sizes[number], rows.begins[number]
        head = [*frame.before, *question, *frame.between]
        assert rows.row(number).tolist() == [*head, *ids[first : first + size], *frame.after]
        assert begin == len(head)
        assert len(rows.row(number)) <= 40
        seen |= set(range(first, first + size))
    assert seen == set(range(len(ids)))


def test_a_frame_is_what_the_tokenizer_puts_around_two_texts(tokenizer: InputTokenizer, encoder: Path) -> None:
    from transformers import AutoTokenizer

    pair = AutoTokenizer.from_pretrained(str(encoder))("영화 배우", "정말 그냥")
    rows = span_rows(
        Questions(texts=["영화 배우"], labels=np.zeros(1, dtype=np.int64), seconds=["정말 그냥"], ids=["q"],
                  answers=[(Answer("정말", 0, 2),)]), tokenizer, 64, Limits(),
    )[0]  # fmt: skip
    assert rows.row(0).tolist() == pair["input_ids"]
    assert rows.types(np.asarray([0]), len(rows.row(0))).tolist() == [pair["token_type_ids"]]


def test_types_of_padding_are_0(tokenizer: InputTokenizer) -> None:
    rows = rows_of(tokenizer, questions(("영화", ["영화"])))
    length = int(rows.lengths[0])
    types = rows.types(np.asarray([0]), length + 3)[0].tolist()
    assert types == [0] * int(rows.begins[0]) + [1] * (length - int(rows.begins[0])) + [0] * 3


def test_windows_of_a_question_agree_on_its_best_answers_in_any_order(tokenizer: InputTokenizer) -> None:
    rows = rows_of(tokenizer, questions((FILLER * 8 + "감동", ["감동"]), (FILLER * 3 + "최고", ["최고"])))
    wanted = np.stack([rows.begins + 1, rows.begins + 2], axis=1)
    first = answered(rows, wanted, seed=1)
    assert np.array_equal(first, answered(rows, wanted, seed=2))
    for question in first:
        spans = question[:N_BEST]
        assert len({(begin, end) for begin, end, _ in spans}) == N_BEST
        assert (np.diff(spans[:, 2]) <= 0).all()


def test_the_best_spans_are_those_of_a_search_through_all(tokenizer: InputTokenizer) -> None:
    rows = rows_of(tokenizer, questions((FILLER, ["배우"])), max_tokens=64)
    assert len(rows) == 1
    torch.manual_seed(3)
    scores = torch.randn(1, 2, int(rows.lengths[0]))
    question, offset = rows.questions[0], int(rows.begins[0])
    every = sorted(
        (
            (float(scores[0, 0, offset + i] + scores[0, 1, offset + j]), question.places[i, 0], question.places[j, 1])
            for i in range(int(rows.sizes[0]))
            for j in range(i, min(i + rows.answer_tokens, int(rows.sizes[0])))
        ),
        reverse=True,
    )
    found = rows.best(scores, np.asarray([0]))[0]
    assert [(begin, end) for begin, end, _ in found[:N_BEST]] == [(begin, end) for _, begin, end in every[:N_BEST]]
    assert found[:N_BEST, 2] == pytest.approx([score for score, _, _ in every[:N_BEST]], abs=1e-6)


def test_an_answer_is_no_longer_than_allowed_and_never_ends_before_it_begins(tokenizer: InputTokenizer) -> None:
    rows = rows_of(tokenizer, questions((FILLER * 2, ["그냥"])), max_tokens=64)
    scores = torch.zeros(1, 2, int(rows.lengths[0]))
    offset, size = int(rows.begins[0]), int(rows.sizes[0])
    scores[0, 0, offset + size - 1] = scores[0, 1, offset] = 5  # last token first, first token last
    for begin, end, score in rows.best(scores, np.asarray([0]))[0][:N_BEST]:
        assert begin < end
        assert score <= 5


def test_question_tokens_and_padding_are_no_answer(tokenizer: InputTokenizer) -> None:
    rows = rows_of(tokenizer, questions((WHOLE, [WHOLE]), (FILLER, ["배우"])), max_tokens=64)
    numbers = np.asarray([0, 1])
    scores = torch.full((2, 2, int(rows.lengths.max())), 9.0)
    scores[0, :, int(rows.begins[0]) : int(rows.begins[0] + rows.sizes[0])] = 0.0
    answers = rows.blank()
    rows.fill(answers, numbers, rows.best(scores, numbers))
    assert rows.texts(answers)[0] == WHOLE
    assert answers[0, 0, 2] == 0.0


def test_a_question_that_may_lack_an_answer_has_none_when_the_first_token_scores_higher(
    tokenizer: InputTokenizer,
) -> None:
    for may_lack, expected in ((True, ["", "감동"]), (False, ["감동", "감동"])):
        asked = questions(("감동", []), ("감동", ["감동"]), may_lack=may_lack)
        rows = rows_of(tokenizer, asked)
        size = int(rows.sizes[0])
        scores = torch.zeros(2, 2, int(rows.lengths.max()))
        scores[0, :, 0] = 3
        for line in (0, 1):  # the whole context is its best span
            scores[line, 0, int(rows.begins[line])] = scores[line, 1, int(rows.begins[line]) + size - 1] = 1
        answers = rows.blank()
        rows.fill(answers, np.asarray([0, 1]), rows.best(scores, np.asarray([0, 1])))
        assert rows.texts(answers) == expected


def test_no_answer_has_the_lowest_score_of_all_windows(tokenizer: InputTokenizer) -> None:
    rows = rows_of(tokenizer, questions((FILLER * 8, []), may_lack=True))
    answers = rows.blank()
    for number in range(len(rows)):
        scores = torch.zeros(1, 2, int(rows.lengths[number]))
        scores[0, :, 0] = 10 - number
        rows.fill(answers, np.asarray([number]), rows.best(scores, np.asarray([number])))
    assert answers[0, N_BEST, 2] == 2 * (10 - (len(rows) - 1))


def test_merging_keeps_a_spans_higher_score() -> None:
    blank = np.tile([0.0, 0.0, -np.inf], (N_BEST, 1))
    first, second = blank.copy(), blank.copy()
    first[:2] = [(1, 4, 2.0), (3, 5, 1.0)]
    second[:2] = [(3, 5, 7.0), (1, 4, 0.5)]
    found = merged(first, second)
    assert found[:3].tolist() == [[3, 5, 7.0], [1, 4, 2.0], [0, 0, -np.inf]]
    assert found.shape == blank.shape


def test_questions_are_taken_with_all_their_windows(tokenizer: InputTokenizer) -> None:
    asked = questions((FILLER * 8, ["영화 배우"]), ("짧다", ["짧다"]), (FILLER * 5 + "감동", ["감동"]))
    rows = rows_of(tokenizer, asked)
    taken = rows.take(np.asarray([2, 1]))
    assert [question.name for question in taken.questions] == ["q2", "q1"]
    alone = rows_of(tokenizer, asked.chosen([2, 1], {}))
    for field in ("tokens", "ends", "labels", "begins", "firsts", "sizes", "window_ends"):
        assert np.array_equal(getattr(taken, field), getattr(alone, field))
    assert taken.texts(answered(taken, taken.labels))[0] == "감동"
    assert rows.nbytes > taken.nbytes > 0


def test_a_context_is_tokenised_once_for_all_its_questions(tokenizer: InputTokenizer) -> None:
    asked: list[list[str]] = []

    class Watched:
        def __call__(self, texts: Any, *rest: Any, **options: Any) -> Any:
            asked.append([texts] if isinstance(texts, str) else list(texts))
            return tokenizer._tokenizer(texts, *rest, **options)

    rows = rows_of(InputTokenizer(Watched()), questions(*[(FILLER * 3, ["결말"])] * 5))  # type: ignore[arg-type]
    assert sum(texts.count(FILLER * 3) for texts in asked) == 1
    assert len({id(question.places) for question in rows.questions}) == 1


def test_answers_that_end_within_a_token_are_counted(tokenizer: InputTokenizer) -> None:
    assert next(iter(tokenizer.parts([WHOLE])))[1] == [(0, 2)]
    rows = rows_of(tokenizer, questions((WHOLE, [WHOLE]), (WHOLE, ["서"]), (f"{WHOLE} 배우", [f"{WHOLE} 배우"])))
    assert off_boundaries(rows) == 1
    nowhere = Questions(
        texts=["?"], labels=np.zeros(1, dtype=np.int64), seconds=["영화"], ids=["q"],
        answers=[(Answer("배우", NOWHERE, NOWHERE),)],
    )  # fmt: skip
    unplaced = rows_of(tokenizer, nowhere)
    assert off_boundaries(unplaced) == 0
    assert unplaced.labels.tolist() == [[0, 0]]


def test_a_context_without_a_token_has_no_answer(tokenizer: InputTokenizer) -> None:
    rows = rows_of(tokenizer, questions(("\x01", []), (FILLER, ["배우"])))
    assert rows.sizes[0] == 0
    assert rows.texts(answered(rows, rows.labels)) == ["", "배우"]


def test_a_token_is_the_first_or_the_last_of_an_answer() -> None:
    assert LABELS == ("start", "end")
