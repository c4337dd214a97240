"""One Postgres data folder and its server: created whole, started, found again after any crash, stopped.

Layout of `place`:

    data/        Postgres' own; it and run/ belong to the server's account, all else to us
    run/         the Unix socket, in a folder closed to all others: no port is open, no password is needed
    server.log   what the server says
    lock         flock'ed by whoever starts or stops the server
    holders      flock'ed, shared, by every process that uses it; the kernel lets go when one is killed
    alive        flock'ed by the server itself and inherited by its children: held as long as one of them lives,
                 whatever postmaster.pid says
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2

from korbert.db.binaries import Account, as_account, choose
from korbert.db.locks import lock_at_once
from korbert.errors import WorldError

USER = DATABASE = "korbert"
PORT = 5432
"""Names the socket file; no TCP port is opened."""

SOCKET_BYTES = 107
"""Longest path of a Unix socket (Linux: sun_path has 108 bytes, the last one 0)."""

START_SECONDS = 300.0
"""Longest wait for a start: after a crash the server replays up to 256 MB of its log first."""
STOP_SECONDS = 60.0

# fsync and synchronous_commit stay on: what a crawler has committed survives the machine.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "64",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "min_wal_size": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
}

LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class Cluster:
    """A data folder with all that belongs to it."""

    place: Path
    base: Path
    """Where copied binaries may lie."""
    account: Account | None

    @property
    def data(self) -> Path:
        """The server's data folder."""
        return self.place / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.place / "server.log"

    @property
    def run(self) -> Path:
        """The socket's folder: in `place`, or under the temporary folder when that path is too long."""
        run = self.place / "run"
        if len(os.fsencode(run / f".s.PGSQL.{PORT}")) <= SOCKET_BYTES:
            return run
        digest = hashlib.sha256(os.fsencode(self.place)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"korbert-{os.geteuid()}-{digest}"

    @property
    def url(self) -> str:
        """The database's URL."""
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self.run), safe='')}&port={PORT}"


def running(cluster: Cluster) -> bool:
    """Whether any process of the server lives: the postmaster, or a child that has outlived it."""
    descriptor = os.open(cluster.place / "alive", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return not lock_at_once(descriptor) or postmaster(cluster) is not None
    finally:
        os.close(descriptor)


def postmaster(cluster: Cluster) -> int | None:
    """The server's process id if it is alive. The number in a stale postmaster.pid may be another program's by now."""
    try:
        pid = int((cluster.data / "postmaster.pid").read_text().split("\n")[0])
    except (OSError, ValueError):
        return None
    return pid if str(cluster.data) in _command(pid) else None


def ensure_running(cluster: Cluster) -> subprocess.Popen[bytes] | None:
    """Makes the server answer, creating the data folder and starting it where needed; call it under the lock.

    Answers the process when it was started here.

    Raises:
        WorldError: quoting the server when it cannot be started.
    """
    if not (cluster.data / "PG_VERSION").is_file():
        _create(cluster)
    process: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + START_SECONDS
    seen = 0
    while not _answers(cluster):
        if process is not None and process.poll() is not None:
            raise WorldError(f"Postgres: did not start: {_last_words(cluster, seen)}; the whole log: {cluster.log}")
        if process is None and not running(cluster):
            seen = cluster.log.stat().st_size if cluster.log.exists() else 0
            process = _start(cluster)
        if time.monotonic() > deadline:
            raise WorldError(
                f"Postgres: does not answer after {START_SECONDS:.0f} s: {_last_words(cluster, seen)}; "
                f"look at {cluster.log}, then run again"
            )
        time.sleep(0.05)
    return process


def stop(cluster: Cluster) -> None:
    """Stops the server fast: open transactions are rolled back, the rest is flushed. Call it under the lock."""
    deadline = time.monotonic() + STOP_SECONDS
    order = signal.SIGINT
    while running(cluster):
        if pid := postmaster(cluster):
            os.kill(pid, order)
        patience = time.monotonic() + STOP_SECONDS / 2
        while running(cluster) and time.monotonic() < patience:
            time.sleep(0.02)
        if time.monotonic() > deadline:
            raise WorldError(f"Postgres: does not stop; look at {cluster.log}")
        order = signal.SIGQUIT  # the next start then replays the log, as after a crash
    if cluster.run.parent != cluster.place:
        shutil.rmtree(cluster.run, ignore_errors=True)


def _command(pid: int) -> list[str]:
    """A process's arguments; empty when there is none (or only a dead one that nobody has collected)."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape").split("\0")
        except OSError:
            return []
    listed = subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False)
    return listed.stdout.split()


def _create(cluster: Cluster) -> None:
    """Runs initdb in a neighbour of the data folder and renames it: a kill leaves no half-made data folder."""
    draft = cluster.place / "data.draft"
    shutil.rmtree(draft, ignore_errors=True)
    own_folder(draft, cluster.account)
    binaries = choose(cluster.account, cluster.base)
    command = [
        str(binaries.folder / "initdb"), "-D", str(draft), "--username", USER, "--encoding", "UTF8", "--locale", "C",
        "--auth-local", "trust", "--auth-host", "reject", "--data-checksums",
    ]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, check=False, **as_account(cluster.account))
    if answer.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise WorldError(
            f"Postgres: cannot make a data folder in {cluster.place}: {_reason(answer.stderr)}; "
            "see that the disk has room and the folder can be reached, or name another in KORBERT_PG_DATA"
        )
    draft.rename(cluster.data)


def _start(cluster: Cluster) -> subprocess.Popen[bytes]:
    major = (cluster.data / "PG_VERSION").read_text().strip()
    binaries = choose(cluster.account, cluster.base, major)
    _clear_stale(cluster)
    command = [str(binaries.folder / "postgres"), "-D", str(cluster.data), "-k", str(cluster.run), "-p", str(PORT)]
    for name, value in SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    alive = os.open(cluster.place / "alive", os.O_RDWR | os.O_CREAT, 0o600)
    log = os.open(cluster.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if not lock_at_once(alive):
            raise WorldError(f"Postgres: another server of {cluster.place} has just started; run again")
        if os.fstat(log).st_size > LOG_BYTES:
            os.truncate(log, 0)
        # A session of its own: Ctrl-C in our terminal must not reach the server before we have finished with it.
        return subprocess.Popen(
            command, stdout=log, stderr=log, pass_fds=(alive,), start_new_session=True, **as_account(cluster.account)
        )
    finally:
        os.close(alive)
        os.close(log)


def _clear_stale(cluster: Cluster) -> None:
    """Removes what a killed server left. Postgres itself gives up when the old process id is another program's now;
    we know from the lock that the server is dead."""
    own_folder(cluster.run, cluster.account)
    for path in (cluster.data / "postmaster.pid", *cluster.run.glob(".s.PGSQL.*")):
        path.unlink(missing_ok=True)


def own_folder(path: Path, account: Account | None) -> None:
    """Makes a folder that only the server's account (and root) can enter.

    Raises:
        WorldError: when something else has the name, such as another user's folder.
    """
    owner = account.uid if account else os.geteuid()
    if not os.path.lexists(path):
        path.mkdir(mode=0o700)
        if account:
            os.chown(path, account.uid, account.gid)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise WorldError(f"{path}: must be a folder of user id {owner} with mode 0700; remove it, then run again")


def _answers(cluster: Cluster) -> bool:
    """Whether the server takes connections; our database is created where a start was cut off before that."""
    try:
        connection = psycopg2.connect(
            host=str(cluster.run), port=PORT, user=USER, dbname="postgres", connect_timeout=10
        )
    except psycopg2.OperationalError:
        return False
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg2.Error as error:
        raise WorldError(f"Postgres: answers, but: {' '.join(str(error).split())}; look at {cluster.log}") from error
    finally:
        connection.close()
    return True


def _last_words(cluster: Cluster, offset: int) -> str:
    """The log's telling line since byte `offset`."""
    try:
        return _reason(cluster.log.read_bytes()[offset:])
    except OSError as error:
        return str(error.strerror)


def _reason(output: bytes) -> str:
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    grave = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "error:", "ERROR:"))]
    return (grave or lines or ["it said nothing"])[-1]
