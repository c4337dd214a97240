"""Threads that each work through a part of a batch, in the place of torch's own, which share every single operation.

With rows of 22 tokens, 32 a batch, most operations are too short to be shared: two of torch's threads make an epoch
1.25 times as fast as one (measured, 3 layers of width 192), and wait for each other hundreds of times a step, the worse
the busier the machine. torch's operations run outside Python's lock, so threads of Python do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

import torch

T = TypeVar("T")


class Crew:
    """`size` threads, the caller's among them; torch has one thread within each while the crew is entered."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._before = size
        self._others: ThreadPoolExecutor | None = None

    def __enter__(self) -> Crew:
        self._before = torch.get_num_threads()
        # New threads take this number over, at their first operation.
        torch.set_num_threads(1)
        self._others = ThreadPoolExecutor(self.size - 1, "korbert-crew") if self.size > 1 else None
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._others:
            self._others.shutdown()
        self._others = None
        torch.set_num_threads(self._before)

    def each(self, work: Callable[..., T], *arguments: Sequence[Any]) -> list[T]:
        """As `map` over the arguments: the first one here, the others in the other threads. What raises, raises here,
        when all have ended."""
        calls = list(zip(*arguments, strict=True))
        if self._others is None:
            return [work(*call) for call in calls]
        others = [self._others.submit(work, *call) for call in calls[1:]]
        try:
            first = [work(*call) for call in calls[:1]]
        finally:
            for other in others:
                other.exception()
        return first + [other.result() for other in others]
