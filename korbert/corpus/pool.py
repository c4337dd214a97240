"""A function over many batches in worker processes, answers in the batches' order, in bounded memory."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

from korbert.errors import WorldError

A = TypeVar("A")
B = TypeVar("B")

AHEAD = 3
"""Batches a worker that may wait or be done ahead of the one that is asked for."""


def batched(items: Iterable[A], size: int) -> Iterator[list[A]]:
    """Lists of `size` items, the last one perhaps shorter."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


class WorkerPool:
    """`workers` processes for any number of `ordered` passes; with one worker all is done in this process."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        # Spawned, not forked: this process may hold threads and a database connection.
        self._executor = (
            ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker) if workers > 1 else None
        )

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._executor:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def ordered(self, function: Callable[[A], B], batches: Iterable[A]) -> Iterator[B]:
        """`function` of each batch, in order; batches are drawn only a little ahead.

        Raises:
            WorldError: when a worker process dies.
        """
        if self._executor is None:
            yield from map(function, batches)
            return
        waiting: deque[Future[B]] = deque()
        try:
            for batch in batches:
                waiting.append(self._executor.submit(function, batch))
                if len(waiting) >= AHEAD * self._workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise WorldError(
                "a corpus worker process was killed, most likely for want of memory; set a smaller corpus.workers "
                f"than {self._workers} and run again"
            ) from error


def _start_worker() -> None:
    """Ctrl-C is the parent's to handle; and a worker whose parent was killed must not stay behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
