"""Checkpoints: complete or absent, verified byte by byte before they are trusted.

    step-00000100/
        model.safetensors, optimizer.safetensors    named tensors, whole, whatever the number of workers
        checkpoint.json                             the training they belong to, where it stood, each file's SHA-256

The next step's number determines order, masks, learning rate and dropout, so nothing else needs saving. Where they lie
is `shelves`' affair; when they are written, `saving`'s and `survival`'s.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any

from torch import Tensor

from korbert.errors import UsageError
from korbert.training.shelves import Shelf
from korbert.training.tensor_file import write_tensors

RECORD = "checkpoint.json"
MODEL = "model.safetensors"
OPTIMIZER = "optimizer.safetensors"
_NAME = re.compile(r"step-(\d+)(?:-[0-9a-f]+)?")
# Bytes read, and hashed, at once.
_PIECE = 16 << 20

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Progress:
    """Where training stands, undone steps left out."""

    step: int = 0
    """Steps done, which is also the number of the next one."""
    samples: int = 0
    """Samples trained on."""
    tokens: int = 0
    """Tokens trained on, special ones included."""
    seconds: float = 0.0
    """Wall time of the steps."""
    run_id: str = ""
    """The tracked run's id: a checkpoint that is taken elsewhere continues that run. Empty: none is tracked."""


@dataclass(frozen=True)
class Standing:
    """A complete step and what was to be told of it."""

    progress: Progress
    line: Mapping[str, Any] | None = None
    """The line of metrics that ended with this step, where one was due: rank 0 may be lost before it has written it."""


@dataclass(frozen=True)
class Snapshot:
    """The whole state after a step: contiguous tensors on the CPU that nothing changes any more."""

    standing: Standing
    model: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    """The optimiser's state, and the moving average's."""


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint."""

    name: str
    standing: Standing

    @property
    def progress(self) -> Progress:
        """Where training stood."""
        return self.standing.progress


class Checkpoints:
    """The checkpoints of one training."""

    def __init__(self, shelf: Shelf, key: str, config: Mapping[str, Any], keep: int) -> None:
        """Opens the place of a training's checkpoints.

        Args:
            shelf: where they lie.
            key: digest of all that the training depends on; a checkpoint of another key is refused.
            config: the fields behind the key, to name the one that differs.
            keep: newest checkpoints kept.
        """
        self._shelf, self._key, self._config, self._keep = shelf, key, dict(config), keep

    def save(self, snapshot: Snapshot, *, sole: bool = True) -> str:
        """Writes a checkpoint and answers its name; it appears whole, and older ones beyond `keep` go after that.

        Args:
            snapshot: what to write.
            sole: whether this process alone writes now: then another checkpoint of the same step goes too.

        Raises:
            WorldError: when the place fails or is full; the checkpoints before it stay.
        """
        progress, files = snapshot.standing.progress, {}

        def tensors(name: str, content: Mapping[str, Tensor]) -> Callable[[IO[bytes]], None]:
            return lambda handle: files.update({name: write_tensors(handle, content)._asdict()})

        def record(handle: IO[bytes]) -> None:
            told = {"key": self._key, "config": self._config, "progress": asdict(progress), "files": files}
            handle.write((json.dumps(told | {"line": snapshot.standing.line}, indent=1) + "\n").encode())

        name = self._shelf.put(
            f"step-{progress.step:08d}",
            [(MODEL, tensors(MODEL, snapshot.model)), (OPTIMIZER, tensors(OPTIMIZER, snapshot.optimizer)),
             (RECORD, record)],
        )  # fmt: skip
        self._retire(name if sole else "")
        return name

    def newest(self, warn: Warn) -> Checkpoint | None:
        """The newest checkpoint that is whole; damaged ones are reported and passed over. None when there is none.

        Raises:
            UsageError: when it belongs to another training.
            WorldError: when an object store does not answer.
        """
        for name in self._names():
            if found := self._whole(name, warn):
                return found
        return None

    def holds(self, step: int, warn: Warn) -> bool:
        """Whether a whole checkpoint of this step or a later one is here."""
        return any(_step(name) >= step and self._whole(name, warn) for name in self._names())

    def tensors(self, checkpoint: Checkpoint) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The weights and the optimiser's state, on the CPU."""
        return self._shelf.tensors(checkpoint.name, MODEL), self._shelf.tensors(checkpoint.name, OPTIMIZER)

    def sweep(self) -> None:
        """Removes what killed writers left. Only while nobody writes here."""
        self._shelf.sweep()

    def require_usable(self) -> None:
        """Finds out, without reading tensors, whether a training can begin with this place.

        Raises:
            UsageError: when the newest checkpoint belongs to another training.
            WorldError: when one cannot write here.
        """
        self._shelf.probe()
        for name in self._names():
            try:
                record = self._record(name)
                known = "key" in record
            except (OSError, ValueError, TypeError):
                known = False
            if known:
                self._require_ours(name, record)
                break

    def _whole(self, name: str, warn: Warn) -> Checkpoint | None:
        """The checkpoint of this name, unless it is damaged, of which it warns."""
        try:
            record = self._record(name)
            damage = self._damage(name, record["files"])
            found = Checkpoint(name, Standing(Progress(**record["progress"]), record.get("line")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            damage = f"{RECORD} cannot be read ({error})"
        if damage:
            warn(f"{self._shelf.where}/{name}: {damage}; passed over")
            return None
        self._require_ours(name, record)
        return found

    def _record(self, name: str) -> Any:
        with self._shelf.reading(name, RECORD) as handle:
            content = handle.read()
        return json.loads(content)

    def _damage(self, name: str, files: Mapping[str, Mapping[str, Any]]) -> str:
        """What is wrong with a checkpoint's files, as one phrase; empty when nothing is."""
        for file in (MODEL, OPTIMIZER):
            try:
                with self._shelf.reading(name, file) as handle:
                    size, digest = _digest(handle)
            except FileNotFoundError:
                return f"{file} is missing"
            if size != files[file]["bytes"]:
                return f"{file} has {size} bytes, not {files[file]['bytes']}"
            if digest != files[file]["sha256"]:
                return f"{file} has another checksum"
        return ""

    def _names(self) -> list[str]:
        """Of checkpoints, newest first."""
        return sorted(filter(_NAME.fullmatch, self._shelf.names()), key=_step, reverse=True)

    def _retire(self, new: str) -> None:
        """Removes those that are too old, and what the checkpoint `new`, where one is named, replaces."""
        names = self._names()
        kept = sorted({_step(name) for name in names}, reverse=True)[: self._keep]
        for name in names:
            replaced = new and name != new and _step(name) == _step(new)
            if replaced or _step(name) not in kept:
                self._shelf.remove(name)

    def _require_ours(self, name: str, record: Mapping[str, Any]) -> None:
        if record["key"] == self._key:
            return
        theirs, place = record.get("config", {}), f"{self._shelf.where}/{name}"
        for field in sorted(theirs.keys() | self._config.keys()):
            if theirs.get(field) != self._config.get(field):
                raise UsageError(
                    f"{field} = {self._config.get(field)!r}: {place} was made with {theirs.get(field)!r}; "
                    "use that value, or train in another --workspace (and training.checkpoint_url, where one is set)"
                )
        raise UsageError(
            f"{place}: was made from other tokens; train in another --workspace (and training.checkpoint_url, where "
            "one is set)"
        )


def _step(name: str) -> int:
    return int(name.split("-")[1])


def _digest(handle: IO[bytes]) -> tuple[int, str]:
    """Size and SHA-256 of what is left to read."""
    digest, size = hashlib.sha256(), 0
    while piece := handle.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()
