"""Ray for the time of a sweep: one of our own on this machine, quiet and small, or a cluster that runs already."""

from __future__ import annotations

import importlib
import logging
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

import korbert
from korbert.errors import UsageError, WorldError

OBJECT_STORE_BYTES = 128 * 2**20
"""Beside the models and rows that trials share; Ray's default is 30 % of the machine's memory."""

# Read by Ray and by its worker processes when they start.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_worker_niceness": "0",  # Ray's 15 starves trials on a machine that does anything else
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # our own files hold what CSV and TensorBoard files would
    "TUNE_GLOBAL_CHECKPOINT_S": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TOKENIZERS_PARALLELISM": "false",
}
ATTEMPTS = 3
"""Ray gives up after 30 s; on a machine that is busy the second attempt finds its files in memory."""
PATIENCE = 10.0
"""Seconds until a cluster that does not answer is given up."""


@dataclass(frozen=True)
class Cluster:
    """Which Ray a sweep uses."""

    address: str = ""
    """Empty: one of its own; auto: the one on this machine; HOST:PORT or ray://HOST:PORT."""
    dashboard: bool = False
    """Its own Ray has a dashboard, whose address and token are printed on standard error."""

    def __post_init__(self) -> None:
        if self.address and self.dashboard:
            raise UsageError("--dashboard: is for a Ray of the sweep's own; a cluster's is where --address started it")


@contextmanager
def session(cluster: Cluster, *, cpus: int, gpus: float, data_bytes: int) -> Iterator[None]:
    """Connects to a Ray with so many CPUs and room for `data_bytes` of shared data, and leaves it.

    Args:
        cluster: Which one.
        cpus: Of a Ray of our own.
        gpus: What a trial takes of a GPU.
        data_bytes: Size of what trials share.

    Raises:
        UsageError: when trials want a GPU and Ray has none.
        WorldError: when Ray cannot start or be reached, or a package of its dashboard is missing.
    """
    if cluster.dashboard:
        _require_dashboard()
    # A token for this sweep alone: Ray would write one for all into the home folder.
    token = "" if cluster.address else secrets.token_hex(32)
    locked = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token} if token else {}
    with environment(ENVIRONMENT | locked | {"PYTHONPATH": _import_path()}):
        url = _start(cluster, cpus, OBJECT_STORE_BYTES + 2 * data_bytes)
        try:
            if cluster.dashboard:
                print(f"dashboard: http://{url} token {token}", file=sys.stderr, flush=True)
            _check_gpus(cluster, gpus)
            yield
        finally:
            ray.shutdown()


def _require_dashboard() -> None:
    try:
        importlib.import_module("ray.dashboard.optional_deps")
    except ImportError as error:
        raise WorldError(f"--dashboard: {error.name or error} is missing; run: pip install 'ray[default]'") from error


def _start(cluster: Cluster, cpus: int, object_store_bytes: int) -> str:
    """Answers the dashboard's address."""
    own: dict[str, Any] = {
        "num_cpus": cpus, "include_dashboard": cluster.dashboard, "object_store_memory": object_store_bytes
    }  # fmt: skip
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _reach(cluster.address)
            context = ray.init(
                address=cluster.address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if cluster.address else own),
            )
            return str(getattr(context, "dashboard_url", ""))
        except Exception as error:  # Ray raises bare ones where a process of its own does not come up
            ray.shutdown()
            if cluster.address or attempt == ATTEMPTS:
                raise WorldError(_reason(error, cluster)) from error
    raise AssertionError


def _reach(address: str) -> None:
    """Connects to HOST:PORT and hangs up: where nobody listens, Ray would try for minutes.

    Raises:
        OSError: when nobody listens, or does not answer within `PATIENCE`.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()


def _reason(error: Exception, cluster: Cluster) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if not cluster.address:
        return f"Ray cannot start: {first}; see /tmp/ray/session_latest/logs; then run again"
    hint = "set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN where ~/.ray/auth_token is not its own"
    return f"Ray: {first}; is there one at {cluster.address}? If it wants a token, {hint}; then run again"


def _check_gpus(cluster: Cluster, gpus: float) -> None:
    """Refuses a Ray of our own that has too few; a cluster may start nodes with GPUs when trials ask for them."""
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    if gpus <= resources.get("GPU", 0.0):
        return
    if not cluster.address:
        raise UsageError(f"tune.gpus_per_trial = {gpus}: this Ray has no GPU for it; set 0 to train on CPUs")
    print(f"{cluster.address}: has no free node with {gpus:g} GPUs; trials wait until there is one", file=sys.stderr)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Sets environment variables that Ray reads, and puts back all that was there: Ray adds some of its own."""
    before = dict(os.environ)
    os.environ.update(values)
    _read_again()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        _read_again()


def _read_again() -> None:
    """Has Ray's core in this process read its settings and token from the environment: it does by itself once, when it
    is imported, and would come to its own Ray without the token."""
    Config.initialize("")  # before the token goes: with the old mode a thread that still talks would miss it
    AuthenticationTokenLoader.instance().reset_cache()


def _import_path() -> str:
    """PYTHONPATH with which Ray's workers import korbert and tune where they are not installed (a plain checkout)."""
    root = str(Path(korbert.__file__).resolve().parents[1])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != root]
    return os.pathsep.join([root, *paths])
