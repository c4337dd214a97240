"""Models in Ray's object store: what the tensors hold lies there once, whoever shares it; a process reads it in place.

A model is pickled with its tensors left out; these go to the store as arrays, named by their content: the heads and
dropouts of one encoder share its weights, and so do its seeds. `built` copies each array once, out of shared memory:
no file is read and nothing is drawn.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
import torch
from numpy.typing import NDArray
from ray.cloudpickle import CloudPickler
from transformers import PreTrainedModel

Arrays = dict[str, NDArray[Any]]
"""By the digest of their content."""


@dataclass(frozen=True)
class Shared:
    """A model in the store."""

    skeleton: bytes
    """The pickled model, a tensor's place in it marked by (digest, is a parameter, wants a gradient, number)."""
    parts: tuple[Any, ...]
    """References to the `Arrays` that it needs."""


class Shelf:
    """Puts models into the store, and each content once."""

    def __init__(self) -> None:
        self._places: dict[str, Any] = {}
        self.nbytes = 0
        """Bytes put so far."""

    def put(self, model: PreTrainedModel) -> Shared:
        """Puts what is not there yet."""
        buffer = io.BytesIO()
        pickler = _Pickler(buffer)
        pickler.dump(model)  # type: ignore[no-untyped-call]
        new = {digest: array for digest, array in pickler.arrays.items() if digest not in self._places}
        if new:
            self._places |= dict.fromkeys(new, ray.put(new))
            self.nbytes += sum(array.nbytes for array in new.values())
        parts = {self._places[digest]: None for digest in pickler.arrays}
        return Shared(buffer.getvalue(), tuple(parts))


def built(shared: Shared) -> PreTrainedModel:
    """A model of one's own, which may be trained."""
    arrays: Arrays = {}
    for part in ray.get(list(shared.parts)):
        arrays |= part
    model = _Unpickler(io.BytesIO(shared.skeleton), arrays).load()
    assert isinstance(model, PreTrainedModel)
    return model


class _Pickler(CloudPickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)  # type: ignore[no-untyped-call]
        self.arrays: Arrays = {}
        self._numbers: dict[int, int] = {}
        self._seen: list[torch.Tensor] = []  # alive, or another could get its id

    def persistent_id(self, thing: Any) -> tuple[str, bool, bool, int] | None:
        """A tensor's mark; None for all else, which is pickled. Equal numbers: one tensor in several places."""
        if not isinstance(thing, torch.Tensor):
            return None
        array = np.ascontiguousarray(thing.detach().cpu().numpy())
        digest = hashlib.sha256(f"{array.dtype}{array.shape}".encode() + array.tobytes()).hexdigest()
        self.arrays[digest] = array
        self._seen.append(thing)
        number = self._numbers.setdefault(id(thing), len(self._numbers))
        return digest, isinstance(thing, torch.nn.Parameter), thing.requires_grad, number


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, arrays: Arrays) -> None:
        super().__init__(file)
        self._arrays, self._made = arrays, dict[int, torch.Tensor]()

    def persistent_load(self, mark: Any) -> torch.Tensor:
        """The tensor of a mark, with memory of its own."""
        digest, is_parameter, wants_gradient, number = mark
        if number not in self._made:
            # np.array keeps the shape of a scalar; a copy is writable, the store's memory is not.
            tensor = torch.from_numpy(np.array(self._arrays[digest]))
            self._made[number] = torch.nn.Parameter(tensor, wants_gradient) if is_parameter else tensor
        return self._made[number]
