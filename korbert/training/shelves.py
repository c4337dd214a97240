"""Where checkpoints lie: a folder of this machine (or one that machines share), or an object store behind fsspec.

Each checkpoint is a few files under a name; the last of them, its record, says that the others are whole. In a folder
the name appears by a rename, all files at once. An object store has no rename: there the record is what makes a
checkpoint exist, and every writer has a place of its own, `step-00000100-<token>`, so that two who write the same step
do not mix their files.
"""

from __future__ import annotations

import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import fsspec
import fsspec.core
from safetensors.torch import load, load_file
from torch import Tensor

from korbert.errors import UsageError, WorldError

# Stores that know no folders: to make one may mean to make a bucket.
_FLAT = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})

# A file's name, and what writes its content.
File = tuple[str, Callable[[IO[bytes]], None]]


class Shelf(ABC):
    """Checkpoints by name."""

    where: str
    """The place, for messages."""

    @abstractmethod
    def names(self) -> list[str]:
        """What is here, damaged or not; drafts are not."""

    @abstractmethod
    def put(self, name: str, files: Sequence[File]) -> str:
        """Writes the files in their order, the record last; answers the name under which they are here.

        Raises:
            WorldError: when the place fails or is full; what was here stays.
        """

    @abstractmethod
    def reading(self, name: str, file: str) -> Any:
        """A context with the file open for reading bytes.

        Raises:
            FileNotFoundError: when it is not there.
        """

    @abstractmethod
    def tensors(self, name: str, file: str) -> dict[str, Tensor]:
        """The file's named tensors, on the CPU."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Takes a checkpoint away, where that is possible."""

    @abstractmethod
    def sweep(self) -> None:
        """Removes what killed writers left. Only while nobody writes here."""

    @abstractmethod
    def probe(self) -> None:
        """Finds out whether one can write here.

        Raises:
            WorldError: when not.
        """


class FolderShelf(Shelf):
    """A folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.where = folder, str(folder)

    def names(self) -> list[str]:
        """As `Shelf`."""
        return [path.name for path in self._folder.glob("[!.]*") if path.is_dir()]

    def put(self, name: str, files: Sequence[File]) -> str:
        """As `Shelf`. One of the same name goes when the new one is whole; of two writers at once, one comes first."""
        draft = self._folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        try:
            with self._told(name):
                draft.mkdir(parents=True)
                for file, fill in files:
                    _write(draft / file, fill)
                _sync_folder(draft)
                self._place(draft, self._folder / name)
                _sync_folder(self._folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return name

    def _place(self, draft: Path, place: Path) -> None:
        old = draft.with_name(f"{draft.name}.old")
        with suppress(FileNotFoundError):
            place.rename(old)
        try:
            draft.rename(place)
        except OSError:
            # Another writer of this very step was faster: his is as good.
            if not place.is_dir():
                raise
        shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def reading(self, name: str, file: str) -> Iterator[IO[bytes]]:
        """As `Shelf`."""
        with (self._folder / name / file).open("rb") as handle:
            yield handle

    def tensors(self, name: str, file: str) -> dict[str, Tensor]:
        """As `Shelf`."""
        return load_file(self._folder / name / file)

    def remove(self, name: str) -> None:
        """As `Shelf`."""
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def sweep(self) -> None:
        """As `Shelf`."""
        for draft in self._folder.glob(".step-*"):
            shutil.rmtree(draft, ignore_errors=True)

    def probe(self) -> None:
        """As `Shelf`."""
        mark = self._folder / f".probe-{secrets.token_hex(4)}"
        with self._told(""):
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(mark, lambda handle: None)
            mark.unlink()

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WorldError(
                f"{self._folder / name}: {error.strerror}; the checkpoint before it stays; "
                "free space and run the same command again"
            ) from error


class UrlShelf(Shelf):
    """A prefix of an object store, or of whatever else fsspec reaches."""

    def __init__(self, system: Any, root: str, where: str, record: str) -> None:
        """`system` is fsspec's; `record` names the file that makes a checkpoint exist."""
        self._system, self._root, self.where, self._record = system, root.rstrip("/"), where.rstrip("/"), record

    def names(self) -> list[str]:
        """As `Shelf`: those with a record."""
        return [name for name, files in self._found().items() if self._record in files]

    def _found(self) -> dict[str, set[str]]:
        """The files by checkpoint."""
        found: dict[str, set[str]] = {}
        with self._told(""):
            self._system.invalidate_cache()
            try:
                paths = self._system.find(self._root)
            except FileNotFoundError:
                paths = []
        for path in paths:
            *_, name, file = str(path).split("/")
            found.setdefault(name, set()).add(file)
        return found

    def put(self, name: str, files: Sequence[File]) -> str:
        """As `Shelf`."""
        name = f"{name}-{secrets.token_hex(4)}"
        try:
            with self._told(name):
                self._make_folder(self._path(name))
                for file, fill in files:
                    with self._system.open(self._path(name, file), "wb") as handle:
                        fill(handle)
        except BaseException:
            self.remove(name)
            raise
        return name

    @contextmanager
    def reading(self, name: str, file: str) -> Iterator[IO[bytes]]:
        """As `Shelf`.

        Raises:
            WorldError: when the store does not answer: that is no damage, and no reason to go back to an older one.
        """
        with self._told(name, absent=True), self._system.open(self._path(name, file), "rb") as handle:
            yield handle

    def tensors(self, name: str, file: str) -> dict[str, Tensor]:
        """As `Shelf`."""
        with self.reading(name, file) as handle:
            return load(handle.read())

    def remove(self, name: str) -> None:
        """As `Shelf`; the record first, lest half a checkpoint seem whole."""
        for path in (self._path(name, self._record), self._path(name)):
            with suppress(Exception):
                self._system.rm(path, recursive=True)

    def sweep(self) -> None:
        """As `Shelf`."""
        for name, files in self._found().items():
            if name.startswith("step-") and self._record not in files:
                self.remove(name)

    def probe(self) -> None:
        """As `Shelf`."""
        name = f"probe-{secrets.token_hex(4)}"
        with self._told(""):
            self._make_folder(self._root)
            self._system.pipe_file(self._path(name), b"korbert")
            self._system.rm_file(self._path(name))

    def _path(self, *names: str) -> str:
        return "/".join((self._root, *names))

    def _make_folder(self, path: str) -> None:
        protocol = self._system.protocol
        if _FLAT.isdisjoint([protocol] if isinstance(protocol, str) else protocol):
            self._system.makedirs(path, exist_ok=True)

    @contextmanager
    def _told(self, name: str, *, absent: bool = False) -> Iterator[None]:
        """Faults of the store are the world's; a file that is absent is the caller's affair where it says so."""
        try:
            yield
        except Exception as error:
            if isinstance(error, UsageError | WorldError) or (absent and isinstance(error, FileNotFoundError)):
                raise
            # Each store's client has error classes of its own.
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise WorldError(
                f"{'/'.join(filter(None, (self.where, name)))}: {reason}; the checkpoints that are there stay; "
                "see that training.checkpoint_url can be read and written, and run the same command again"
            ) from error


def shelf_of(url: str, folder: Path, record: str) -> Shelf:
    """The place that `training.checkpoint_url` names: `folder` where it is empty.

    Raises:
        UsageError: when fsspec does not know the URL, or its package is not installed.
    """
    if not url:
        return FolderShelf(folder)
    try:
        system, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ValueError, ImportError) as error:
        raise UsageError(
            f"training.checkpoint_url = {url!r}: {error}; name a folder by a URL that fsspec knows, as s3://bucket/name"
        ) from error
    if url.startswith(("file://", "local://")):
        return FolderShelf(Path(root))
    return UrlShelf(system, root, url, record)


def _write(path: Path, fill: Callable[[IO[bytes]], None]) -> None:
    with path.open("wb") as handle:
        fill(handle)
        handle.flush()
        os.fsync(handle.fileno())


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
