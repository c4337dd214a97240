"""Tensors to a file in safetensors' format without a second copy of them in memory.

    8 bytes: the header's length N, little endian
    N bytes: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}, JSON, padded with spaces
    the tensors' bytes, one after another, in the header's order

The format: https://huggingface.co/docs/safetensors. Its own library makes the file's bytes in memory first, and
answers no checksum.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple

import torch
from torch import Tensor

_TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
# Bytes written, and hashed, at once.
_PIECE = 16 << 20


class Written(NamedTuple):
    """What went into a file."""

    bytes: int
    sha256: str


def write_tensors(handle: IO[bytes], tensors: Mapping[str, Tensor]) -> Written:
    """Writes contiguous CPU tensors; answers the size and the checksum of what was written.

    Raises:
        OSError: when the place fails or is full.
    """
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(tensors):
        digest.update(piece)
        handle.write(piece)
        size += len(piece)
    return Written(size, digest.hexdigest())


def _pieces(tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
    # The widest types first, as the library does: each tensor then begins at a multiple of its type's size.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    yield from _header(names, tensors)
    for name in names:
        tensor = tensors[name]
        assert tensor.is_contiguous()
        content = tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else memoryview(b"")
        for begin in range(0, len(content), _PIECE):
            yield content[begin : begin + _PIECE]


def _header(names: list[str], tensors: Mapping[str, Tensor]) -> Iterator[bytes]:
    entries, begin = {}, 0
    for name in names:
        tensor = tensors[name]
        end = begin + tensor.numel() * tensor.element_size()
        entries[name] = {"dtype": _TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little")
    yield text
