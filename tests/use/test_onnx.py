"""An ONNX file answers as its model does, whatever the batch and the padding, for each architecture and head."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig

from korbert.benchmarks.classifier import HEADS, quiet
from korbert.errors import UsageError
from korbert.use import onnx
from korbert.use.loading import Usable, load

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": 64, "pad_token_id": 0, "initializer_range": 0.2,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {},
    "albert": {"embedding_size": 16},
    "modernbert": {"global_attn_every_n_layers": 2, "local_attention": 8, "cls_token_id": 2, "sep_token_id": 3,
                   "eos_token_id": 3, "bos_token_id": 2},
}  # fmt: skip
LENGTHS = (1, 2, 7, 33, 64)


def model(encoder: Path, folder: Path, family: str, head: str) -> Usable:
    """A folder with a model of the family, not trained but drawn wide, and our tokenizer."""
    quiet()
    shutil.copytree(encoder, folder, ignore=shutil.ignore_patterns("*.safetensors", "config.json"))
    vocabulary = AutoConfig.from_pretrained(encoder).vocab_size
    labels = 2 if head == "span" else 3
    config = AutoConfig.for_model(family, vocab_size=vocabulary, num_labels=labels, **SMALL | FAMILIES[family])
    torch.manual_seed(0)
    HEADS[head].from_config(config).save_pretrained(folder)
    return load(folder)


@pytest.mark.parametrize(
    ("family", "head"),
    [("bert", "sentence"), ("bert", "words"), ("bert", "span"), ("albert", "words"), ("modernbert", "span")],
)
def test_the_file_answers_as_the_model(encoder: Path, tmp_path: Path, family: str, head: str) -> None:
    usable = model(encoder, tmp_path / "model", family, head)
    onnx.export(usable, tmp_path / "out.onnx")
    assert onnx.difference(usable, tmp_path / "out.onnx", LENGTHS) < 1e-4
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.onnx"]
    opened = onnx.session(tmp_path / "out.onnx")
    assert [each.name for each in opened.get_inputs()] == list(onnx.INPUTS[: 2 if family == "modernbert" else 3])
    told = json.loads(opened.get_modelmeta().custom_metadata_map[onnx.METADATA])
    assert (told["head"], told["labels"]) == (head, list(usable.labels))


def test_a_difference_is_seen_and_a_quantized_file_is_small_and_near(encoder: Path, tmp_path: Path) -> None:
    usable = model(encoder, tmp_path / "model", "bert", "sentence")
    onnx.export(usable, tmp_path / "whole.onnx")
    onnx.export(usable, tmp_path / "small.onnx", quantize=True)
    assert (tmp_path / "small.onnx").stat().st_size < 0.75 * (tmp_path / "whole.onnx").stat().st_size
    assert 1e-4 < onnx.difference(usable, tmp_path / "small.onnx", LENGTHS) < 1.0
    [alone, many] = onnx.speeds(usable, tmp_path / "whole.onnx")
    assert (alone.batch, many.batch) == (1, 32)
    assert min(alone.torch, alone.onnx, many.torch, many.onnx) > 0


def test_rows_are_padded_to_every_length_and_padding_alone_is_passed_over(encoder: Path, tmp_path: Path) -> None:
    usable = model(encoder, tmp_path / "model", "bert", "words")
    bare = onnx.Bare(onnx.plain_model(usable.folder, usable.head))
    ids, mask, types = onnx.inputs(bare, 3, 10, pad=0, seed=1)
    assert mask.sum(1).tolist() == [10, 7, 4]
    assert ((types == 1) <= (mask == 1)).all()
    assert (ids[mask == 0] == 0).all()


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no model")
    with pytest.raises(UsageError, match="cannot be loaded"):
        onnx.session(tmp_path / "a.onnx")
