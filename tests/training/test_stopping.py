"""SIGTERM, also to a main thread that is deaf to it."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from korbert.training.stopping import STOPPED, Stop

BEGINNING = """
import ctypes, time
from korbert.training.stopping import Stop
stop = Stop({grace})
stop.last_resort = lambda: print("saved", flush=True)
with stop.listening():
    print("ready", flush=True)
"""
# A mutex locked twice: a wait inside of C that no signal ends, as a collective's whose peer hangs. No handler runs.
DEAF = """
    mutex = (ctypes.c_long * 16)()
    ctypes.CDLL(None).pthread_mutex_lock(mutex)
    ctypes.CDLL(None).pthread_mutex_lock(mutex)
"""
LATE = """
    while not stop.asked():
        time.sleep(0.01)
print("left in good order", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_is_noted_and_the_handlers_of_before_come_back(number: signal.Signals) -> None:
    before, stop = signal.getsignal(number), Stop(600)
    with stop.listening():
        assert not stop.asked()
        signal.raise_signal(number)
        assert stop.asked()
    assert signal.getsignal(number) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_where_the_step_ends_in_time_there_is_no_last_resort() -> None:
    stop, called = Stop(0.4), threading.Event()
    stop.last_resort = called.set
    with stop.listening():
        signal.raise_signal(signal.SIGTERM)
    assert not called.wait(0.5)


def _told(code: str) -> tuple[int, str]:
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.2)  # it enters its wait
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        return process.wait(), rest


def test_a_main_thread_that_never_answers_is_saved_for_and_ends_within_the_grace() -> None:
    assert _told(BEGINNING.format(grace=2) + DEAF) == (STOPPED, "saved\n")


def test_a_main_thread_that_answers_leaves_in_good_order() -> None:
    assert _told(BEGINNING.format(grace=60) + LATE) == (0, "left in good order\n")
