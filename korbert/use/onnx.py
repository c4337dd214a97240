"""A fine-tuned model as one ONNX file, and whether that file answers as the model does, and how fast.

b rows, t tokens, both free in the file. Inputs `input_ids`, `attention_mask` and, where the encoder has token types,
`token_type_ids`, each (b, t) int64; output `logits`: (b, labels), (b, t, labels), or (b, 2, t) where a span is sought.
What else a reader needs (head, labels, task, tokens) is the file's metadata `korbert`, as JSON.
"""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from korbert.errors import UsageError
from korbert.use.loading import Usable, plain_model

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
METADATA = "korbert"


class Bare(torch.nn.Module):
    """Ids to logits, without transformers' output objects."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.typed = getattr(model.config, "type_vocab_size", 0) > 1 and model.config.model_type != "modernbert"

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """Three (b, t), the last where the encoder has token types -> logits."""
        types = {"token_type_ids": token_type_ids} if self.typed else {}
        answer = self.model(input_ids=input_ids, attention_mask=attention_mask, **types)
        if "logits" in answer:
            logits: Tensor = answer.logits
            return logits
        return torch.stack([answer.start_logits, answer.end_logits], dim=1)


def export(usable: Usable, output: Path, *, quantize: bool = False) -> None:
    """Writes the file; it appears whole.

    Args:
        usable: The model.
        output: Its name.
        quantize: Whether matrices are stored and multiplied as 8-bit integers (dynamic quantization).

    Raises:
        UsageError: when the exporter cannot translate this architecture.
    """
    for package in ("onnx", "onnxscript", *(("onnxruntime",) if quantize else ())):
        importlib.import_module(package)  # what is not installed is said before the work
    bare = Bare(plain_model(usable.folder, usable.head))
    program = translated(bare, usable.folder)
    told = {
        "head": usable.head, "labels": usable.labels, "task": usable.task, "max_tokens": usable.max_tokens,
        "pad": usable.tokenizer.pad,
    }  # fmt: skip
    program.model.metadata_props[METADATA] = json.dumps(told, ensure_ascii=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(f".{output.name}.part")
    try:
        program.save(str(part), external_data=False)
        if quantize:
            _quantize(part)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def session(file: Path, threads: int = 0) -> Any:
    """The file in ONNX Runtime, on the CPU.

    Raises:
        UsageError: when it cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its classes have no common base but Exception
        raise UsageError(f"{file}: cannot be loaded ({str(error).splitlines()[0][:200]}); export it again") from error


def inputs(bare: Bare, rows: int, length: int, pad: int, seed: int) -> tuple[Tensor, ...]:
    """Rows of drawn ids: the first has `length` tokens, each further one fewer, padded; halves are of two types."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, bare.model.config.vocab_size, (rows, length), generator=generator)
    sizes = torch.tensor([max(length - number * max(length // rows, 1), 1) for number in range(rows)])
    mask = (torch.arange(length) < sizes[:, None]).long()
    types = (torch.arange(length) >= sizes[:, None] // 2).long() * mask
    given = (torch.where(mask == 1, ids, pad), mask)
    return (*given, types) if bare.typed else given


def translated(bare: Bare, folder: Path) -> Any:
    """The model of `folder` as a program in ONNX.

    Raises:
        UsageError: when the exporter cannot translate it.
    """
    given = inputs(bare, 2, 16, 0, seed=1)
    free = torch.export.Dim.DYNAMIC
    kind = type(bare.model).__name__
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch about itself
            return torch.onnx.export(
                bare, given, dynamo=True, verbose=False, input_names=list(INPUTS[: len(given)]),
                output_names=["logits"], dynamic_shapes=tuple({0: free, 1: free} for _ in given),
            )  # fmt: skip
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0][:200]
        raise UsageError(f"{folder}: {kind} cannot be exported ({reason}); use `korbert serve` instead") from error


def _quantize(file: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    small = file.with_name(f"{file.name}.small")
    try:
        logging.getLogger().setLevel(logging.ERROR)
        quantize_dynamic(str(file), str(small), weight_type=QuantType.QInt8)
        small.replace(file)
    finally:
        small.unlink(missing_ok=True)
