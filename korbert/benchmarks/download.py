"""Original files from their owners' addresses: resumed, verified, and in their place whole or not at all.

A file is written as NAME.part; a later call goes on behind its last byte where the server can (RFC 9110 ranges).
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from korbert.errors import UsageError, WorldError
from korbert.tasks import Download, Task

TIMEOUT_SECONDS = 60
CHUNK_BYTES = 1 << 20
ATTEMPTS = 3
"""Of one file, each going on where the last was cut."""

Tell = Callable[[str], None]


def get(name: str, task: Task, folder: Path, tell: Tell = lambda _: None) -> list[Path]:
    """All original files of a task in `folder`; those that are there and right are left alone.

    Args:
        name: The task's.
        task: With its addresses.
        folder: Made where it is not there.
        tell: Told a line of each file.

    Raises:
        UsageError: for a task without an address.
        WorldError: when the network or the disk fails, or a file is not the one that was expected.
    """
    if not task.downloads:
        raise UsageError(f"{name}: has no file that can be downloaded; get it by hand: {task.by_hand or task.source}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_file(download, folder, tell) for download in task.downloads]
    except OSError as error:
        raise WorldError(
            f"{folder}: cannot be written ({error.strerror or error}); free space or choose another"
        ) from error


def right(path: Path, download: Download) -> bool:
    """Whether a file is the original, by its size and sha256, or by git's SHA-1 where no sha256 is known."""
    if download.size and path.stat().st_size != download.size:
        return False
    if download.sha256:
        return _digest(path, hashlib.sha256()) == download.sha256
    return _digest(path, hashlib.sha1(b"blob %d\0" % path.stat().st_size)) == download.git_blob


def _file(download: Download, folder: Path, tell: Tell) -> Path:
    path, part = folder / download.name, folder / f"{download.name}.part"
    if path.is_file():
        if right(path, download):
            tell(f"{path}: is there")
            return path
        raise WorldError(f"{path}: is there and is not the original; move it away, then run again")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _fetch(download.url, part)
            break
        except urllib.error.HTTPError as error:
            raise WorldError(
                f"{download.url}: answers {error.code} {error.reason}; is it still its address?"
            ) from error
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            if attempt == ATTEMPTS:
                reason = getattr(error, "reason", error)
                raise WorldError(
                    f"{download.url}: cannot be read ({reason}); what came is kept, run again to go on"
                ) from error
    if not right(part, download):
        size = part.stat().st_size
        part.unlink()
        raise WorldError(f"{download.url}: {size:,} bytes came that are not the original's; nothing was kept")
    part.replace(path)
    tell(f"{path}: {path.stat().st_size:,} bytes, verified")
    return path


def _fetch(url: str, part: Path) -> None:
    """Appends what is missing; begins anew where the server gives the whole file or has no such range."""
    begun = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={begun}-"} if begun else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        return  # all of it is there already; the checksum tells whether it is right
    with answer, part.open("ab" if answer.status == 206 else "wb") as file:
        expected = answer.headers.get("Content-Length")
        came = 0
        while chunk := answer.read(CHUNK_BYTES):
            file.write(chunk)
            came += len(chunk)
    if expected is not None and came < int(expected):
        raise ConnectionError(f"cut after {came:,} of {int(expected):,} bytes")


def _digest(path: Path, digest: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
