"""A Ray of our own for the time of a sweep: on this machine, quiet, small, without dashboard or usage reports."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

import korbert
from korbert.errors import WorldError

OBJECT_STORE_BYTES = 128 * 2**20
"""Enough for the tokenised rows of any task here; Ray's default is 30 % of the machine's memory."""

# Read by Ray and by its worker processes when they start.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # our own files hold what CSV and TensorBoard files would
    "TUNE_GLOBAL_CHECKPOINT_S": "5",
    "TOKENIZERS_PARALLELISM": "false",
}


@contextmanager
def local_ray(cpus: int, data_bytes: int) -> Iterator[None]:
    """Starts Ray with so many CPUs and room for `data_bytes` of shared data, and stops it.

    Raises:
        WorldError: when Ray cannot start.
    """
    with _environment(ENVIRONMENT | {"PYTHONPATH": _import_path()}):
        _start(cpus, OBJECT_STORE_BYTES + 2 * data_bytes)
        try:
            yield
        finally:
            ray.shutdown()


def _start(cpus: int, object_store_bytes: int) -> None:
    try:
        ray.init(
            address="local",
            num_cpus=cpus,
            include_dashboard=False,
            object_store_memory=object_store_bytes,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (RuntimeError, OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WorldError(f"Ray cannot start: {reason}; see /tmp/ray/session_latest/logs, then run again") from error


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Sets environment variables, and puts back all that was there: Ray adds some of its own."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _import_path() -> str:
    """PYTHONPATH with which Ray's workers import korbert and tune where they are not installed (a plain checkout)."""
    root = str(Path(korbert.__file__).resolve().parents[1])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != root]
    return os.pathsep.join([root, *paths])
