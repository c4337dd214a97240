"""A crew works through its calls side by side, each with one thread of torch's."""

import threading

import pytest
import torch

from korbert.benchmarks.crew import Crew


def test_answers_come_in_the_order_of_the_arguments() -> None:
    with Crew(3) as crew:
        assert crew.each(lambda a, b: a * b, [1, 2, 3], [10, 20, 30]) == [10, 40, 90]


def test_calls_run_at_the_same_time_with_one_thread_of_torchs_each() -> None:
    meeting = threading.Barrier(3)

    def work(_: int) -> int:
        meeting.wait(timeout=60)  # breaks unless all three are here at once
        torch.ones(100_000).add_(1)
        return torch.get_num_threads()

    with Crew(3) as crew:
        assert crew.each(work, [1, 2, 3]) == [1, 1, 1]


def test_torch_has_its_threads_again_afterwards() -> None:
    torch.set_num_threads(2)
    with pytest.raises(KeyError), Crew(2):
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("wrong", [0, 1])
def test_what_one_of_them_raises_is_raised_when_the_others_have_ended(wrong: int) -> None:
    ended = []

    def work(number: int) -> None:
        if number == wrong:
            raise ValueError(f"call {number}")
        ended.append(number)

    with Crew(2) as crew, pytest.raises(ValueError, match=f"call {wrong}"):
        crew.each(work, [0, 1])
    assert ended == [1 - wrong]
