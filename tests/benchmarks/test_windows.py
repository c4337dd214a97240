"""Windows pass over no token, and an answer's tokens are found in the window that holds them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from korbert.benchmarks.windows import (
    QUESTION_TOKENS,
    Frame,
    answer_tokens,
    in_window,
    question_room,
    window_begins,
    without_blanks,
)

FRAME = Frame((2,), (3,), (3,))


@given(tokens=st.integers(0, 300), room=st.integers(1, 60), stride=st.integers(1, 80))
def test_windows_cover_every_token_at_the_stride_and_none_is_needless(tokens: int, room: int, stride: int) -> None:
    begins = window_begins(tokens, room, stride)
    step = min(stride, room)
    assert begins == list(range(0, step * len(begins), step))
    covered = [token for begin in begins for token in range(begin, min(begin + room, tokens))]
    assert set(covered) == set(range(tokens))
    assert begins[-1] + room >= tokens
    assert all(begin + room < tokens for begin in begins[:-1])


@given(tokens=st.integers(61, 300), stride=st.integers(1, 60))
def test_an_answer_no_longer_than_the_overlap_is_whole_in_a_window(tokens: int, stride: int) -> None:
    room = 60
    overlap = room - stride
    for first in range(tokens - overlap + 1):
        last = first + overlap - 1
        holds = [b for b in window_begins(tokens, room, stride) if b <= first and last < b + room]
        assert holds or overlap == 0


@pytest.mark.parametrize(
    ("begin", "end", "tokens"),
    [(0, 2, (0, 0)), (0, 3, (0, 1)), (1, 2, (0, 0)), (3, 6, (2, 3)), (2, 3, (1, 1)), (6, 7, None), (9, 12, None)],
    ids=["a token", "two", "half of one", "to the end", "one of one", "a blank", "beyond"],
)
def test_the_tokens_of_an_answer_are_those_that_hold_a_character_of_it(
    begin: int, end: int, tokens: tuple[int, int] | None
) -> None:
    places = np.asarray([(0, 2), (2, 3), (3, 5), (5, 6), (7, 9)], dtype=np.int32)
    assert answer_tokens(places, begin, end) == tokens


@pytest.mark.parametrize(
    ("first", "target"), [(0, (0, 0)), (2, (12, 13)), (4, (10, 11)), (5, (0, 0))], ids=["cut", "in", "begin", "after"]
)
def test_a_window_that_does_not_hold_the_whole_answer_aims_at_the_first_token(
    first: int, target: tuple[int, int]
) -> None:
    assert in_window((4, 5), first, count=5, offset=10, cls=0) == target


def test_a_window_aims_nowhere_without_an_answer() -> None:
    assert in_window(None, 0, count=5, offset=10, cls=0) == (0, 0)


def test_a_question_leaves_half_of_a_short_row_to_the_context() -> None:
    assert question_room(512, FRAME) == QUESTION_TOKENS
    assert question_room(21, FRAME) == 9


def test_white_space_is_no_part_of_a_token() -> None:
    context = "앞 뒤\u3000 끝"
    places = np.asarray([(0, 1), (1, 3), (3, 5), (5, 6), (0, 6)], dtype=np.int32)
    assert without_blanks(context, places).tolist() == [[0, 1], [2, 3], [5, 5], [5, 6], [0, 6]]
