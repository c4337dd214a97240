"""The worker that torchrun starts: `python -m korbert.training --workspace DIR`."""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    """Trains; answers the exit code: 0 complete, 143 stopped by a signal, 2 wrong input, 1 a fault of the world."""
    if sys.platform == "linux":
        # An agent killed by `kill -9` must not leave workers that train on. Importing torch takes seconds: first this.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parser = argparse.ArgumentParser(prog="python -m korbert.training", description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    arguments = parser.parse_args()
    from korbert.training import worker

    return worker.work(arguments.workspace)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
