"""What differs between a file and its model is seen, and both are timed."""

from pathlib import Path

import pytest

from korbert.use import onnx, parity

from .conftest import drawn_model

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

LENGTHS = (1, 2, 7, 33, 64)


def test_a_difference_is_seen_and_a_quantized_file_is_small_and_near(encoder: Path, tmp_path: Path) -> None:
    usable = drawn_model(encoder, tmp_path / "model", "bert", "sentence")
    onnx.export(usable, tmp_path / "whole.onnx")
    onnx.export(usable, tmp_path / "small.onnx", quantize=True)
    assert (tmp_path / "small.onnx").stat().st_size < 0.75 * (tmp_path / "whole.onnx").stat().st_size
    assert 1e-4 < parity.difference(usable, tmp_path / "small.onnx", LENGTHS) < 1.0
    [alone, many] = parity.speeds(usable, tmp_path / "whole.onnx")
    assert (alone.batch, many.batch) == (1, 32)
    assert min(alone.torch, alone.onnx, many.torch, many.onnx) > 0
