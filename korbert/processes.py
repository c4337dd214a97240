"""Child processes that do not outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)
# In a container we may be process 1 ourselves, and then a child of process 1 is no orphan.
_OURSELVES = os.getpid()


def dies_with_parent() -> None:
    """For `preexec_fn`: the kernel sends this process SIGTERM when its parent ends, by `kill -9` too.

    Linux only; elsewhere an orphan goes on until its own work ends.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1 != _OURSELVES:  # the parent ended before the call
            os._exit(143)
