"""An ONNX file answers as its model does, whatever the batch and the padding, for each architecture and head."""

import json
from pathlib import Path

import pytest
import torch

from korbert.errors import UsageError
from korbert.use import onnx, parity

from .conftest import drawn_model

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

LENGTHS = (1, 2, 7, 33, 64)


@pytest.mark.parametrize(
    ("family", "head"),
    [("bert", "sentence"), ("bert", "words"), ("bert", "span"), ("albert", "words"), ("modernbert", "span")],
)
def test_the_file_answers_as_the_model(encoder: Path, tmp_path: Path, family: str, head: str) -> None:
    usable = drawn_model(encoder, tmp_path / "model", family, head)
    onnx.export(usable, tmp_path / "out.onnx")
    assert parity.difference(usable, tmp_path / "out.onnx", LENGTHS) < 1e-4
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.onnx"]
    opened = onnx.session(tmp_path / "out.onnx")
    assert [each.name for each in opened.get_inputs()] == list(onnx.INPUTS[: 2 if family == "modernbert" else 3])
    told = json.loads(opened.get_modelmeta().custom_metadata_map[onnx.METADATA])
    assert (told["head"], told["labels"]) == (head, list(usable.labels))


def test_rows_are_padded_to_every_length_and_padding_alone_is_passed_over(encoder: Path, tmp_path: Path) -> None:
    usable = drawn_model(encoder, tmp_path / "model", "bert", "words")
    bare = onnx.Bare(onnx.plain_model(usable.folder, usable.head))
    ids, mask, types = onnx.inputs(bare, 3, 10, pad=0, seed=1)
    assert mask.sum(1).tolist() == [10, 7, 4]
    assert ((types == 1) <= (mask == 1)).all()
    assert (ids[mask == 0] == 0).all()


def test_what_the_exporter_cannot_translate_is_refused_in_a_line(encoder: Path, tmp_path: Path) -> None:
    usable = drawn_model(encoder, tmp_path / "model", "bert", "span")
    broken = onnx.Bare(onnx.plain_model(usable.folder, usable.head))
    broken.model.qa_outputs = torch.nn.Linear(32, 3)  # no first and last
    with pytest.raises(UsageError, match="BertForQuestionAnswering cannot be exported") as refused:
        onnx.translated(broken, usable.folder)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no model")
    with pytest.raises(UsageError, match="cannot be loaded"):
        onnx.session(tmp_path / "a.onnx")
