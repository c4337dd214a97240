"""Who leases: a name that tells crawlers of all machines apart, and tells on its own machine whether one is dead."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def name() -> str:
    """This process as `host/pid namespace/pid/start`.

    In containers pid 1 is every crawler, so the pid namespace belongs to it, and the start time (in clock ticks since
    boot) tells a process from an earlier one with the same pid.
    """
    pid = os.getpid()
    return f"{_machine()}/{pid}/{_started(pid)}"


def is_dead(worker: str) -> bool:
    """Whether `worker` was a process of this machine and is no more; False for all others: nobody here can know."""
    machine, _, process = worker.partition("#")[0].rpartition("/")[0].rpartition("/")
    started = worker.partition("#")[0].rpartition("/")[2]
    if machine != _machine() or not process.isdigit():
        return False
    return _started(int(process)) != started


def _machine() -> str:
    try:
        namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        namespace = "-"
    return f"{socket.gethostname()}/{namespace}"


def _started(pid: int) -> str:
    """Field 22 of /proc/PID/stat (proc(5)); empty when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The command's name stands in parentheses and may hold any character, so count from its end.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]
