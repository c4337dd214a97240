"""Gates between stages: a pod's init container waits here until what its stage reads is there.

A gate is closed for a reason, and the reasons that time heals (a volume not mounted yet, a database not up, a stage
that has not finished) are told apart from those it does not (a malformed DATABASE_URL, a schema newer than the code).
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from korbert import chain
from korbert.chain import STAGES, Workspace
from korbert.db.connection import connect, transaction
from korbert.db.migrate import migrations
from korbert.errors import UsageError, WorldError

DATABASE_GATES = ("postgres", "migrated")
NAMES = (*STAGES, "workspace", *DATABASE_GATES)


@dataclass(frozen=True)
class Gate:
    """Something that a stage needs before it may begin."""

    name: str
    look: Callable[[], str]
    """Why the gate is closed, as one phrase; empty when it is open."""


def gates(names: Sequence[str], workspace: Workspace, database_url: str) -> list[Gate]:
    """The gates of these names: stages of the chain, `workspace` (it has a config), `postgres` (it answers),
    `migrated` (its schema is this code's).

    Raises:
        UsageError: for an unknown name, or a gate of the database without `DATABASE_URL`.
    """
    for name in names:
        if name not in NAMES:
            raise UsageError(f"ARTEFACT {name}: there is no such gate; there are: {', '.join(NAMES)}")
        if name in DATABASE_GATES and not database_url:
            raise UsageError(f"ARTEFACT {name}: DATABASE_URL is not set; set it to the database to wait for")
    return [Gate(name, _look(name, workspace, database_url)) for name in names]


def _look(name: str, workspace: Workspace, database_url: str) -> Callable[[], str]:
    if name == "postgres":
        return lambda: _postgres(database_url)
    if name == "migrated":
        return lambda: _migrated(database_url)
    if name == "workspace":
        return lambda: _readable(workspace, _workspace)
    return lambda: _readable(workspace, lambda found: _artefact(found, name))


def _readable(workspace: Workspace, look: Callable[[Workspace], str]) -> str:
    """What `look` answers, and why where the volume itself cannot be read: a provisioner may still be at work on it."""
    try:
        return look(workspace)
    except OSError as error:
        return f"{workspace.root} cannot be read ({error.strerror}); see the volume's rights for user {os.getuid()}"


def _workspace(workspace: Workspace) -> str:
    return "" if workspace.config_file.is_file() else f"{workspace.root} has no config.json yet"


def _artefact(workspace: Workspace, stage: str) -> str:
    if not workspace.root.is_dir():
        return f"{workspace.root} is not there yet"
    try:
        state = chain.state(workspace.load(), workspace, stage)
    except (UsageError, OSError) as error:
        # An input on a volume that is mounted later reads like a user's mistake.
        return " ".join(str(error).split())
    return "" if state.state == "fresh" else f"{state.state}{f' ({state.why})' if state.why else ''}"


def _postgres(url: str) -> str:
    try:
        with contextlib.closing(connect(url)):
            return ""
    except WorldError as error:
        return str(error)


def _migrated(url: str) -> str:
    try:
        with contextlib.closing(connect(url)) as connection, transaction(connection) as cursor:
            cursor.execute("SELECT to_regclass('schema_migration')")
            if cursor.fetchone() == (None,):
                return "the database has no schema yet"
            cursor.execute("SELECT coalesce(max(number), 0) FROM schema_migration")
            (applied,) = cursor.fetchone() or (0,)
    except WorldError as error:
        return str(error)
    known = len(migrations())
    if applied > known:
        raise WorldError(f"database schema: has migration {applied}, this korbert knows {known}; use a newer image")
    return "" if applied == known else f"the schema is at migration {applied} of {known}"


@dataclass(frozen=True)
class Patience:
    """How long and how often to look, in seconds."""

    timeout: float
    poll: float
    tell_every: float = 60.0
    look: float = 10.0
    """The least that a look is given, even at the deadline: a busy node is slow, not closed."""


def wait(closed: Sequence[Gate], patience: Patience, tell: Callable[[str], None]) -> list[str]:
    """Waits until all gates are open; at the deadline answers what is still closed, one phrase a gate.

    A look runs in a thread of its own: one that hangs (a dead file server, a host that swallows packets) holds up
    neither the deadline nor a signal.

    Raises:
        UsageError, WorldError: when a gate can never open.
    """
    deadline = time.monotonic() + patience.timeout
    told = float("-inf")
    reasons = {gate.name: "not looked at yet" for gate in closed}
    while True:
        for gate in [gate for gate in closed if gate.name in reasons]:
            reason = _look_in_thread(gate, max(deadline - time.monotonic(), patience.look))
            if reason:
                reasons[gate.name] = reason
            else:
                del reasons[gate.name]
        now = time.monotonic()
        if not reasons or now >= deadline:
            return _phrases(reasons)
        if now - told >= patience.tell_every:
            tell(f"waiting for {'; '.join(_phrases(reasons))}; {_minutes(deadline - now)} left")
            told = now
        time.sleep(min(patience.poll, deadline - now))


def _look_in_thread(gate: Gate, seconds: float) -> str:
    answers: queue.SimpleQueue[str | BaseException] = queue.SimpleQueue()

    def look() -> None:
        try:
            answers.put(gate.look())
        except BaseException as error:
            answers.put(error)

    threading.Thread(target=look, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        return f"no answer after {seconds:.0f} s"
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _phrases(reasons: dict[str, str]) -> list[str]:
    return [f"{name}: {reason}" for name, reason in reasons.items()]


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def default_workspace() -> Path:
    """Where the cluster's one workspace lies in every pod."""
    return Path("/data/run")
