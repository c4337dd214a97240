"""Artefacts: folders with a manifest, complete or absent; and the file formats the stages share.

An artefact is published in one of two ways. `publishing` builds it in a hidden folder beside its place and renames
it when its manifest is written; finished parts that should survive `kill -9` wait for it in a `workbench`. `resumable`
is for long work that others look into while it goes on: it works in place, and the manifest, written last, makes the
folder an artefact. A folder without a manifest is no artefact.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any, TypeVar

import fsspec
import fsspec.core

import korbert
from korbert.errors import UsageError, WorldError

MANIFEST = "manifest.json"
INTENT = "intent.json"
LONGEST_LINE = 256 << 20
"""Bytes of a line of JSON Lines: a file without line ends must not fill the memory."""

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What a stage is about to make: its place, and everything that its content depends on."""

    stage: str
    path: Path
    version: int
    """The stage's format; raised when the same inputs would give other content."""
    inputs: dict[str, str]
    """Digest of each input by name."""
    config: dict[str, Any]
    """The fields that the stage reads, by dotted name."""

    @property
    def key(self) -> str:
        """SHA-256 of all that the content depends on: equal keys, interchangeable artefacts."""
        return digest_of({"stage": self.stage, "version": self.version, "inputs": self.inputs, "config": self.config})


@dataclass
class Draft:
    """An artefact in the making: write files under `path`, fill the rest."""

    path: Path
    counts: dict[str, Any] = field(default_factory=dict)
    """Numbers for people: documents, tokens, losses."""
    licences: dict[str, int] = field(default_factory=dict)
    """Licence of the text to documents under it."""
    transient: Callable[[str], bool] = lambda _: False
    """Files (by relative name) that are left out of the manifest, such as logs."""


@dataclass(frozen=True)
class Manifest:
    """The record of a published artefact."""

    stage: str
    key: str
    code: str
    version: int
    inputs: dict[str, str]
    config: dict[str, Any]
    counts: dict[str, Any]
    licences: dict[str, int]
    files: dict[str, dict[str, Any]]
    """Relative name to {"bytes", "sha256"}."""
    created: str
    """UTC time, ISO 8601."""
    seconds: float
    """Wall time the stage took, all its attempts included where it was resumed."""

    @property
    def digest(self) -> str:
        """SHA-256 of what the artefact holds, not of when or where it was made."""
        return digest_of({"stage": self.stage, "files": {n: f["sha256"] for n, f in self.files.items()}})


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value in its one canonical spelling."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises:
        UsageError: when the file cannot be read.
    """
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a file that exists and can be read") from error


def digest_input(name: str) -> str:
    """A digest of a file, of all files in a folder, or of what stands behind an fsspec URL.

    A URL's is that of the size and the checksum, tag or time that its store tells: nothing is downloaded for it.

    Raises:
        UsageError: when there is nothing of that name, or it cannot be read.
    """
    if "://" in name:
        try:
            system, path = fsspec.core.url_to_fs(name)
            return digest_of([system.size(path), str(system.ukey(path))])
        except (OSError, ValueError, ImportError) as error:
            raise UsageError(f"{name}: {error}; name a URL that can be read") from error
    path = Path(name)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return digest_of({str(file.relative_to(path)): _digest_once(file) for file in files})
    return _digest_once(path)


def _digest_once(path: Path) -> str:
    """The file's digest, computed again only when its size or time has changed: a corpus may have many gigabytes."""
    try:
        found = path.stat()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a file that exists and can be read") from error
    return _digest_of_state(path, found.st_size, found.st_mtime_ns)


@cache
def _digest_of_state(path: Path, size: int, changed: int) -> str:
    return digest_file(path)


def read_manifest(path: Path) -> Manifest | None:
    """The manifest of the artefact in folder `path`; None where there is no artefact."""
    try:
        text = (path / MANIFEST).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return Manifest(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise WorldError(f"{path / MANIFEST}: is damaged ({error}); delete {path} and run the stage again") from error


def damage(path: Path, manifest: Manifest, *, checksums: bool = False) -> str:
    """What is wrong with an artefact's files, as one phrase; empty when nothing is.

    Sizes are always compared; `checksums` reads every byte.
    """
    for name, record in manifest.files.items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != record["bytes"]:
            return f"{name} has {file.stat().st_size} bytes, not {record['bytes']}"
        if checksums and digest_file(file) != record["sha256"]:
            return f"{name} has another checksum"
    return ""


def fresh(plan: Plan) -> Manifest | None:
    """The manifest at the plan's place if it is what the plan would make, else None."""
    manifest = read_manifest(plan.path)
    if manifest is None or manifest.key != plan.key or damage(plan.path, manifest):
        return None
    return manifest


@contextmanager
def publishing(plan: Plan, *, seconds: float = 0.0) -> Iterator[Draft]:
    """Builds an artefact beside its place; it appears whole when the block ends, or not at all.

    `seconds` of work were spent on it before.

    Raises:
        WorldError: when the disk fails or is full; nothing is left behind.
    """
    draft_path = plan.path.parent / f".{plan.path.name}.draft-{os.getpid()}"
    started = time.monotonic()
    with _disk_faults(plan.path):
        _remove_stale_drafts(plan.path)
        draft_path.mkdir(parents=True)
        try:
            draft = Draft(draft_path)
            yield draft
            _write_manifest(draft, plan, seconds + time.monotonic() - started)
            _replace(plan.path, draft_path)
        except BaseException:
            shutil.rmtree(draft_path, ignore_errors=True)
            raise


@contextmanager
def revising(path: Path, stage: str) -> Iterator[Draft]:
    """Changes files of a published artefact: it stays what its plan made, with another digest, so that what was made
    from it is stale. The draft is a copy with the old counts and licences; the artefact is the old one or the new.

    Raises:
        UsageError: when there is no artefact.
        WorldError: when the disk fails or is full; the old artefact stays.
    """
    manifest = read_manifest(path)
    if manifest is None:
        raise UsageError(f"{path}: stage {stage} has not finished; run: korbert run --to {stage}")
    plan = Plan(stage, path, manifest.version, manifest.inputs, manifest.config)
    with publishing(plan, seconds=manifest.seconds) as draft:
        shutil.copytree(path, draft.path, dirs_exist_ok=True)
        draft.counts, draft.licences = dict(manifest.counts), dict(manifest.licences)
        yield draft


@contextmanager
def workbench(plan: Plan) -> Iterator[Path]:
    """A folder for the unfinished work of a stage that is published whole: `kill -9` leaves it, the next attempt of the
    same plan finds it. It lies beside the artefact, `.<name>.work-<key>`, and goes when the block ends without an
    error. Work of other plans stays until then: an attempt with another config must not cost what this one has done.

    Raises:
        WorldError: when the disk fails or is full; the folder stays.
    """
    with _disk_faults(plan.path):
        folder = plan.path.parent / f".{plan.path.name}.work-{plan.key[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            yield folder
        except UsageError:
            # Other input or another config is wanted: nothing would ever go on here.
            shutil.rmtree(folder, ignore_errors=True)
            raise
        for other in plan.path.parent.glob(f".{plan.path.name}.work-*"):
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def resumable(plan: Plan) -> Iterator[Draft]:
    """Works in the artefact's own place, which keeps what an interrupted attempt of the same plan left there.

    Work of another plan is moved aside to `<name>.superseded-<key>`, never deleted: it may be days of training.

    Raises:
        WorldError: when the disk fails or is full; the folder stays, for the next attempt.
    """
    with _disk_faults(plan.path):
        before = _claim(plan)
        started = time.monotonic()
        draft = Draft(plan.path)
        try:
            yield draft
        except BaseException:
            _write_intent(plan, before + time.monotonic() - started)
            raise
        _write_manifest(draft, plan, before + time.monotonic() - started)


def claim(plan: Plan) -> None:
    """Makes the artefact's place ready for processes that work in it before `resumable` publishes what they have made.

    Raises:
        WorldError: when the disk fails or is full.
    """
    with _disk_faults(plan.path):
        _claim(plan)


def _claim(plan: Plan) -> float:
    """Makes the folder ours and answers the seconds that earlier attempts spent in it."""
    intent = plan.path / INTENT
    seconds = 0.0
    if plan.path.exists():
        try:
            record = json.loads(intent.read_text())
        except (OSError, ValueError):
            record = {"key": "unknown"}
        if record["key"] == plan.key:
            seconds = record["seconds"]
            (plan.path / MANIFEST).unlink(missing_ok=True)
        else:
            _move_aside(plan.path, record["key"])
    plan.path.mkdir(parents=True, exist_ok=True)
    _write_intent(plan, seconds)
    return seconds


def set_aside(path: Path) -> None:
    """Moves a resumable artefact to `<name>.superseded-<key>`, so that its stage starts from nothing."""
    _move_aside(path, read_json(path / INTENT)["key"])


def _move_aside(path: Path, key: str) -> None:
    aside = path.with_name(f"{path.name}.superseded-{key[:8]}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.superseded-{key[:8]}-{number}")
    path.rename(aside)


def _write_intent(plan: Plan, seconds: float) -> None:
    write_json(plan.path / INTENT, {"stage": plan.stage, "key": plan.key, "seconds": seconds})


def _write_manifest(draft: Draft, plan: Plan, seconds: float) -> None:
    names = sorted(
        str(file.relative_to(draft.path)) for file in draft.path.rglob("*") if file.is_file() and not file.is_symlink()
    )
    files = {
        name: {"bytes": (draft.path / name).stat().st_size, "sha256": digest_file(draft.path / name)}
        for name in names
        if name not in (MANIFEST, INTENT) and not draft.transient(name)
    }
    manifest = Manifest(
        stage=plan.stage,
        key=plan.key,
        code=korbert.__version__,
        version=plan.version,
        inputs=plan.inputs,
        config=plan.config,
        counts=draft.counts,
        licences=draft.licences,
        files=files,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
    )
    write_json(draft.path / MANIFEST, asdict(manifest))


def _replace(place: Path, draft: Path) -> None:
    """Puts `draft` in `place`. Between the two renames the artefact is absent, never half there."""
    old = place.parent / f".{place.name}.old-{os.getpid()}"
    if place.exists():
        place.rename(old)
    draft.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _remove_stale_drafts(place: Path) -> None:
    """Deletes what killed attempts left beside `place`."""
    for kind in ("draft", "old"):
        for path in place.parent.glob(f".{place.name}.{kind}-*"):
            pid = path.name.rpartition("-")[2]
            if not (pid.isdigit() and Path(f"/proc/{pid}").exists()):
                shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _disk_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None or isinstance(error, ConnectionError | TimeoutError):
            raise
        where = error.filename or path
        raise WorldError(
            f"{where}: {error.strerror}; free space or choose another --workspace, then run again"
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Writes JSON so that a reader sees the old file or the new one, never a part."""
    write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file whole: to a neighbour, flushed to disk, renamed."""
    neighbour = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with neighbour.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        neighbour.rename(path)
    except BaseException:
        neighbour.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """A JSON file's value.

    Raises:
        UsageError: when it is missing or no JSON.
    """
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; run the stage that writes it first") from error
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON ({error})") from error


def write_jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Writes JSON Lines (compressed as the name's ending says: .zst, .gz or none); answers how many."""
    count = 0
    with fsspec.open(str(path), "wt", encoding="utf-8", compression="infer") as handle:
        for record in records:
            handle.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_jsonl(path: Path | str, *, limit: int = 0) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file or fsspec URL (.zst and .gz by the name's ending); blank lines are skipped.

    Raises:
        UsageError: naming file and line, when the file cannot be read or a line is no JSON object.
    """
    for served, (_, value) in enumerate(numbered_jsonl(path), 1):
        yield value
        if served == limit:
            return


def numbered_jsonl(path: Path | str, *, skip: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Like `read_jsonl`, each object with its line's number (1 is the first); the first `skip` are not parsed.

    Raises:
        UsageError: naming file and line, when the file cannot be read, or a line is no JSON object or passes
            `LONGEST_LINE`.
    """
    number = 0
    try:
        with fsspec.open(str(path), "rb", compression="infer") as handle:
            for number, raw in enumerate(_lines(handle), 1):
                if len(raw) > LONGEST_LINE:
                    raise UsageError(
                        f"{path} line {number}: passes {LONGEST_LINE >> 20} MiB, which no article does; "
                        "remove it, and see that each object has a line of its own"
                    )
                if not raw.strip():
                    continue
                if skip:
                    skip -= 1
                    continue
                yield number, _object(raw, f"{path} line {number}")
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "cannot be read"
        raise UsageError(f"{path}: {reason} (after line {number}); name a JSON Lines file that can be read") from error
    except Exception as error:
        # zstandard and zlib raise error classes of their own for a damaged frame.
        if type(error).__name__ not in ("ZstdError", "BadGzipFile", "error"):
            raise
        raise UsageError(f"{path}: damaged compression after line {number} ({error})") from error


def _lines(handle: IO[bytes]) -> Iterator[bytes]:
    """Lines of a binary file; zstandard's reader has no line iteration of its own. One that is too long comes cut."""
    pieces: list[bytes] = []
    while sum(map(len, pieces)) <= LONGEST_LINE and (chunk := handle.read(1 << 20)):
        first, *others = chunk.split(b"\n")
        pieces.append(first)
        if others:
            yield b"".join(pieces)
            yield from others[:-1]
            pieces = others[-1:]
    if rest := b"".join(pieces):
        yield rest


def _object(raw: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{where}: is not UTF-8 ({error.reason} at byte {error.start}); mend or remove the line"
        ) from error
    except ValueError as error:
        raise UsageError(f"{where}: is not JSON ({error}); mend or remove the line") from error
    if not isinstance(value, dict):
        raise UsageError(f"{where}: is a {type(value).__name__}, not an object; write one JSON object a line")
    return value
