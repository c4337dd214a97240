"""`korbert wait`: the gate between stages, for init containers."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

from korbert.chain import Workspace
from korbert.cluster import gates
from korbert.commands import complain
from korbert.console import command
from korbert.errors import UsageError

LATE = 75
"""EX_TEMPFAIL of sysexits.h: nothing is wrong but the time; the pod's next attempt may find the gate open."""
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def add(commands: Any) -> None:
    """Adds the command's parser."""
    parser = command(
        commands,
        "wait",
        _wait,
        "Wait until artefacts are published and fresh, or the database is up (exit 75: too late).",
    )
    parser.add_argument("names", metavar="ARTEFACT", nargs="+", help=f"any of: {', '.join(gates.NAMES)}")
    parser.add_argument(
        "--workspace", metavar="DIR", default=str(gates.default_workspace()), help="default: %(default)s, as in pods"
    )
    parser.add_argument("--timeout", metavar="TIME", default="6h", help="the deadline, like 90s, 30m, 6h (default 6h)")
    parser.add_argument("--poll", metavar="TIME", default="10s", help="time between two looks (default 10s)")


def _wait(options: argparse.Namespace) -> int:
    if "://" in options.workspace:
        raise UsageError(f"--workspace {options.workspace}: stages publish into folders; mount the storage and name it")
    patience = gates.Patience(
        timeout=seconds(options.timeout, "--timeout"), poll=max(seconds(options.poll, "--poll"), 0.1)
    )
    found = gates.gates(options.names, Workspace(Path(options.workspace)), os.environ.get("DATABASE_URL", ""))
    late = gates.wait(found, patience, lambda line: print(f"korbert wait: {line}", file=sys.stderr, flush=True))
    if late:
        return complain("korbert wait", f"gave up after {options.timeout}: {'; '.join(late)}", LATE)
    print(f"korbert wait: {', '.join(options.names)}: ready", flush=True)
    return 0


def seconds(text: str, option: str) -> float:
    """A time like 10s, 30m, 6h or 2d, in seconds.

    Raises:
        UsageError: for any other text.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        raise UsageError(f"{option} {text}: is no time; write a number and a unit, like 10s, 30m, 6h or 2d")
    return float(found[1]) * _UNITS[found[2]]
