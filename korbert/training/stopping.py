"""SIGTERM and SIGINT: the step is finished and saved; where that cannot be, because a peer hangs, it is saved without.

A main thread that waits for a peer inside of torch runs no signal handler of Python's. The interpreter's wake-up file
is written all the same, and a thread of our own reads it.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# The exit code of a process that SIGTERM has ended, by the shell's convention.
STOPPED = 128 + signal.SIGTERM
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Shares of the grace: until the step ought to have ended, and until the process must be gone.
_STEP, _GONE = 0.5, 0.9


class Stop:
    """Whether this worker was asked to stop, and what happens when it cannot."""

    def __init__(self, grace: float) -> None:
        """`grace`: seconds from the signal to SIGKILL."""
        self._grace, self._asked, self._ended = grace, threading.Event(), threading.Event()
        self.last_resort: Callable[[], None] = lambda: None
        """Called when half the grace is over: saves what the main thread cannot."""

    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._asked.is_set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes over SIGTERM and SIGINT for the length of the block, which the main thread must run."""
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        before = {number: signal.signal(number, lambda *_: self._asked.set()) for number in _SIGNALS}
        descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._listen, args=(reader,), name="signals", daemon=True).start()
        try:
            yield
        finally:
            self._ended.set()
            signal.set_wakeup_fd(descriptor)
            for number, handler in before.items():
                signal.signal(number, handler)
            writer.close()

    def _listen(self, reader: socket.socket) -> None:
        with reader:
            while heard := reader.recv(64):
                if set(heard) & set(_SIGNALS):
                    self._asked.set()
                    self._see_it_out()
                    break

    def _see_it_out(self) -> None:
        if self._ended.wait(self._grace * _STEP):
            return
        self.last_resort()
        if not self._ended.wait(self._grace * (_GONE - _STEP)):
            os._exit(STOPPED)
