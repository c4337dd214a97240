"""Checkpoints beside the training: a snapshot on the CPU, then a thread that writes it while steps go on.

One writer at a time, so that there is one copy of the state in memory at most: the next snapshot waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from korbert.errors import WorldError
from korbert.training.checkpoint import Snapshot, Standing
from korbert.training.device import Accelerator

# Answers the named tensors to be kept: the weights, and all else.
Source = Callable[[], tuple[Mapping[str, Tensor], Mapping[str, Tensor]]]


class Copier:
    """Copies of the state on the CPU."""

    def __init__(self, source: Source, accelerator: Accelerator) -> None:
        """`source` names the tensors of the state; they lie on the accelerator's device, a few may lie on the CPU."""
        self._source, self._accelerator = source, accelerator
        self._buffers: dict[str, Tensor] = {}

    def begin(self, standing: Standing) -> tuple[Snapshot, Callable[[], None]]:
        """A snapshot whose tensors have come when the second answer has been called.

        CUDA fills pinned buffers, which are used again: a snapshot lasts until the next begins.
        """
        model, rest = self._source()
        snapshot = Snapshot(standing, self._sent("model.", model), self._sent("rest.", rest))
        # Of the kinds of stamps only CUDA's is an event that one can wait for; the other devices' copies have come.
        return snapshot, getattr(self._accelerator.stamp(), "synchronize", lambda: None)

    def aside(self, standing: Standing) -> Snapshot:
        """A snapshot past whatever the device is busy with, which may never end: the state must not be in change."""
        model, rest = self._source()
        if self._accelerator.kind != "cuda":
            return Snapshot(standing, _copied(model), _copied(rest))
        # Plain memory and a stream of its own: pinned memory is not to be had while a kernel hangs.
        stream = torch.cuda.Stream(self._accelerator.device)  # type: ignore[no-untyped-call]
        with torch.cuda.stream(stream):
            return Snapshot(standing, _copied(model), _copied(rest))

    def _sent(self, prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: self._send(prefix + name, tensor.detach()) for name, tensor in tensors.items()}

    def _send(self, key: str, tensor: Tensor) -> Tensor:
        if tensor.device.type != "cuda":
            return _copy(tensor)
        if key not in self._buffers:
            self._buffers[key] = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        return self._buffers[key].copy_(tensor, non_blocking=True)


class Writer:
    """Writes snapshots in a thread, one after another."""

    def __init__(self, write: Callable[[Snapshot], None]) -> None:
        """`write` may raise: the first error is kept, and nothing is written after it."""
        self._write = write
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def failed(self) -> bool:
        """Whether a write has failed: known as soon as it has."""
        return self._error is not None

    @property
    def failure(self) -> str:
        """What an error of the world says; empty where there is none.

        Raises:
            Exception: any other error, which is a fault of ours.
        """
        if self._error and not isinstance(self._error, WorldError):
            raise self._error
        return str(self._error) if self._error else ""

    def submit(self, make: Callable[[], tuple[Snapshot, Callable[[], None]]]) -> None:
        """Has a snapshot written: made now, after the one before it is written."""
        self.settle()
        if not self.failed:
            self._thread = threading.Thread(target=self._run, args=make(), name="checkpoint", daemon=True)
            self._thread.start()

    def settle(self) -> None:
        """Waits until nothing is being written."""
        if self._thread:
            self._thread.join()
            self._thread = None

    def _run(self, snapshot: Snapshot, arrived: Callable[[], None]) -> None:
        try:
            arrived()
            self._write(snapshot)
        except BaseException as error:
            self._error = error


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: _copy(tensor.detach()) for name, tensor in tensors.items()}


def _copy(tensor: Tensor) -> Tensor:
    return tensor.to("cpu", copy=True).contiguous()
