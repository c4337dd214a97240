"""One model for many who ask at once: a thread of its own that answers what is waiting in one batch.

Whoever asks waits for a limited time, and no longer line forms than `WAITING`: a server that is asked too much says so
at once instead of answering late.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from korbert.use.answers import Answer, answered
from korbert.use.loading import Usable
from korbert.use.rows import Row

WAITING = 64
"""Requests in line at most."""
TOGETHER = 64
"""Rows of a batch of requests, unless one request has more."""


class Busy(RuntimeError):
    """Too many wait already, or the model stops."""


class Late(RuntimeError):
    """The answer did not come in time."""


@dataclass
class _Request:
    rows: Sequence[Row]
    deadline: float
    found: Future[list[Answer]] = field(default_factory=Future)


class Asker:
    """Answers requests of many threads, one batch at a time."""

    def __init__(self, usable: Usable, waiting: int = WAITING) -> None:
        self.usable = usable
        self._line: queue.Queue[_Request | None] = queue.Queue(waiting)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"model {usable.folder.name}", daemon=True)
        self._thread.start()

    def ask(self, rows: Sequence[Row], seconds: float) -> list[Answer]:
        """The answers to `rows`.

        Raises:
            Busy: when the line is full, or the model stops.
            Late: when they did not come within `seconds`.
        """
        request = _Request(rows, time.monotonic() + seconds)
        if self._stopping.is_set():
            raise Busy
        try:
            self._line.put_nowait(request)
        except queue.Full as error:
            raise Busy from error
        try:
            return request.found.result(seconds)
        except TimeoutError as error:
            request.found.cancel()
            raise Late from error

    def stop(self) -> None:
        """Answers who waits, and ends; further ones are refused."""
        self._stopping.set()
        self._line.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._line.get()) is not None:
            requests, last = self._gathered(first)
            _answer(self.usable, [request for request in requests if _wanted(request)])
            if last:
                break
        while not self._line.empty():  # who came between the last look and the stop
            left = self._line.get()
            if left is not None and _wanted(left):
                left.found.set_exception(Busy())

    def _gathered(self, first: _Request) -> tuple[list[_Request], bool]:
        """What is waiting already, with `first`; and whether the end of the line was met."""
        requests = [first]
        while sum(len(request.rows) for request in requests) < TOGETHER:
            try:
                more = self._line.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return requests, True
            requests.append(more)
        return requests, False


def _wanted(request: _Request) -> bool:
    """Whether somebody still waits for it; from then on it cannot be withdrawn."""
    return time.monotonic() < request.deadline and request.found.set_running_or_notify_cancel()


def _answer(usable: Usable, requests: list[_Request]) -> None:
    rows = [row for request in requests for row in request.rows]
    try:
        answers, _ = answered(usable, rows)
    except Exception as error:  # the thread must live on; who asked learns of it
        for request in requests:
            request.found.set_exception(error)
        return
    for request in requests:
        request.found.set_result(answers[: len(request.rows)])
        answers = answers[len(request.rows) :]
