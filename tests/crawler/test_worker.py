import multiprocessing
import os
import signal
import subprocess
import sys

from crawler import worker


def _names(queue):
    queue.put(worker.name())


def named_in_another_process():
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_names, args=(queue,))
    process.start()
    name = queue.get(timeout=30)
    process.join()
    return name


def test_a_living_worker_is_not_dead():
    assert not worker.is_dead(worker.name())
    assert not worker.is_dead(worker.name() + "#3")


def test_a_worker_that_ended_is_dead():
    name = named_in_another_process()
    assert name != worker.name()
    assert worker.is_dead(name)
    assert worker.is_dead(name + "#0")


def test_another_process_with_the_pid_of_a_dead_one_does_not_bring_it_to_life():
    machine, pid, started = worker.name().rsplit("/", 2)
    assert worker.is_dead(f"{machine}/{pid}/{int(started) - 1}")


def test_nothing_is_said_about_other_machines():
    _, namespace, pid, started = worker.name().rsplit("/", 3)
    for name in (f"elsewhere/{namespace}/{pid}/1", f"elsewhere/1/{pid}/{started}", "", "x", "a/b/c", "#1"):
        assert not worker.is_dead(name)


def test_a_killed_worker_that_nobody_waited_for_is_dead():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    machine, pid, _ = worker.name().rsplit("/", 2)
    started = worker._started(process.pid)
    name = f"{machine}/{process.pid}/{started}"
    assert pid == str(os.getpid())
    assert not worker.is_dead(name)
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert worker.is_dead(name)
    process.wait()
