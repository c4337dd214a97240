"""Tensors written piece by piece: the library reads the file, and the checksum is the file's."""

import hashlib
from pathlib import Path

import torch
from safetensors.torch import load_file

from korbert.training.tensor_file import write_tensors

TENSORS = {
    "weights": torch.arange(12.0).reshape(3, 4),
    "scalar": torch.tensor(7.0),
    "half": torch.ones(5, dtype=torch.bfloat16),
    "counts": torch.arange(3),
    "flags": torch.tensor([True, False, True]),
    "wide": torch.arange(4.0, dtype=torch.float64),
    "none of them": torch.empty(0, 7),
    "이름": torch.zeros(2),
    # Two pieces and a bit.
    "large": torch.arange(9_000_000, dtype=torch.int32),
}


def test_the_library_reads_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    with path.open("wb") as handle:
        written = write_tensors(handle, TENSORS)
    found = load_file(path)
    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    content = path.read_bytes()
    assert written == (len(content), hashlib.sha256(content).hexdigest())


def test_equal_tensors_in_another_order_are_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for number, names in enumerate((sorted(TENSORS), sorted(TENSORS, reverse=True))):
        with (tmp_path / str(number)).open("wb") as handle:
            digests.add(write_tensors(handle, {name: TENSORS[name] for name in names}))
    assert len(digests) == 1
