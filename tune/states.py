"""The states of trials outside Ray: whatever Ray had saved of its own when it was killed, no epoch is trained twice.

A trial is known by its settings. While it is under way, `KEY.pt` holds weights, optimiser and its epochs so far; when
it has ended, `KEY.json` holds its epochs for good, and the weights go.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from typing import Any

import fsspec
import torch

from korbert.errors import WorldError

History = list[dict[str, Any]]
"""A trial's epochs, a record each."""


class States:
    """A folder or fsspec URL that the driver and all trials reach."""

    def __init__(self, url: str) -> None:
        self._system, self._folder = fsspec.core.url_to_fs(url)

    def ended(self, key: str) -> History | None:
        """The epochs of a trial that has ended; None for another."""
        content = self._read(f"{key}.json")
        return None if content is None else json.loads(content)["epochs"]

    def under_way(self, key: str) -> dict[str, Any] | None:
        """What `keep` kept; None where it kept nothing."""
        content = self._read(f"{key}.pt")
        return None if content is None else torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")

    def keep(self, key: str, state: dict[str, Any]) -> None:
        """Keeps a state of tensors and plain values, in place of an earlier one."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        self._write(f"{key}.pt", buffer.getvalue())

    def end(self, key: str, history: History) -> None:
        """Keeps a trial's epochs for good and drops its weights; what an ended trial has kept stays."""
        if not self._system.exists(self._at(f"{key}.json")):
            self._write(f"{key}.json", (json.dumps({"epochs": history}) + "\n").encode())
        self._remove(f"{key}.pt")

    def clear(self) -> None:
        """Drops all weights: a finished sweep is not continued."""
        for pattern in ("*.pt", ".*.part-*"):
            for path in self._system.glob(self._at(pattern)):
                self._system.rm_file(path)

    def _at(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _read(self, name: str) -> bytes | None:
        try:
            return self._system.cat_file(self._at(name))  # type: ignore[no-any-return]
        except FileNotFoundError:
            return None

    def _write(self, name: str, content: bytes) -> None:
        """Whole or not at all: under another name first."""
        part = self._at(f".{name}.part-{os.getpid()}")
        try:
            self._system.makedirs(self._folder, exist_ok=True)
            self._system.pipe_file(part, content)
            self._system.mv(part, self._at(name))
        except OSError as error:
            raise WorldError(f"{self._at(name)}: {error.strerror or error}; free space, then run again") from error

    def _remove(self, name: str) -> None:
        if self._system.exists(self._at(name)):
            self._system.rm_file(self._at(name))


def key_of(settings: dict[str, Any]) -> str:
    """The name under which a trial with these settings is kept."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
