"""A fine-tuned model as one ONNX file, and whether that file answers as the model does, and how fast.

b rows, t tokens, both free in the file. Inputs `input_ids`, `attention_mask` and, where the encoder has token types,
`token_type_ids`, each (b, t) int64; output `logits`: (b, labels), (b, t, labels), or (b, 2, t) where a span is sought.
What else a reader needs (head, labels, task, tokens) is the file's metadata `korbert`, as JSON.
"""

from __future__ import annotations

import json
import logging
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from korbert.errors import UsageError
from korbert.use.loading import Usable, plain_model

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
METADATA = "korbert"
BATCHES = (1, 32)
"""Rows a batch whose speed is measured."""
SPEED_TOKENS = 48
"""Tokens of a row then; NSMC's reviews have 20 to 60."""
ROUNDS = 5


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


@dataclass(frozen=True)
class Speed:
    """Texts a second with each, in one process and in turns."""

    batch: int
    torch: float
    onnx: float


def export(usable: Usable, output: Path, *, quantize: bool = False) -> None:
    """Writes the file; it appears whole.

    Args:
        usable: The model.
        output: Its name.
        quantize: Whether matrices are stored and multiplied as 8-bit integers (dynamic quantization).

    Raises:
        UsageError: when the exporter cannot translate this architecture.
    """
    bare = Bare(plain_model(usable.folder, usable.head))
    program = _program(bare, usable.folder)
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


def difference(usable: Usable, file: Path, lengths: Sequence[int], rows: int = 3) -> float:
    """The greatest difference of a logit between file and model.

    Args:
        usable: The model.
        file: Its export.
        lengths: Tokens of the longest row of a batch, a batch each; further rows are shorter and padded.
        rows: Of a batch; a batch of one row without padding is compared too.
    """
    bare, run = Bare(plain_model(usable.folder, usable.head)), runner(session(file))
    greatest = 0.0
    for length in lengths:
        for count in (1, rows):
            given = inputs(bare, count, length, usable.tokenizer.pad, seed=length)
            with torch.inference_mode():
                wanted = bare(*given).numpy()
            unlike = np.abs(run(given) - wanted) * _seen(given[1].numpy(), usable.head)
            greatest = max(greatest, float(unlike.max()))
    return greatest


def speeds(usable: Usable, file: Path, batches: Sequence[int] = BATCHES) -> list[Speed]:
    """Texts a second of model and file at each number of rows a batch: medians of ROUNDS rounds, taken in turns."""
    bare = Bare(plain_model(usable.folder, usable.head))
    run = runner(session(file, torch.get_num_threads()))

    def by_torch(given: Sequence[Tensor]) -> object:
        with torch.inference_mode():
            return bare(*given)

    found = []
    for batch in batches:
        given = inputs(bare, batch, min(SPEED_TOKENS, usable.max_tokens), usable.tokenizer.pad, seed=batch)
        seconds: dict[Callable[..., object], list[float]] = {by_torch: [], run: []}
        for work in seconds:
            work(given)  # warm
        for _ in range(ROUNDS):
            for work, taken in seconds.items():
                taken.append(_seconds(work, given))
        found.append(Speed(batch, *(batch / statistics.median(taken) for taken in seconds.values())))
    return found


def inputs(bare: Bare, rows: int, length: int, pad: int, seed: int) -> tuple[Tensor, ...]:
    """Rows of drawn ids: the first has `length` tokens, each further one fewer, padded; halves are of two types."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, bare.model.config.vocab_size, (rows, length), generator=generator)
    sizes = torch.tensor([max(length - number * max(length // rows, 1), 1) for number in range(rows)])
    mask = (torch.arange(length) < sizes[:, None]).long()
    types = (torch.arange(length) >= sizes[:, None] // 2).long() * mask
    given = (torch.where(mask == 1, ids, pad), mask)
    return (*given, types) if bare.typed else given


def runner(opened: Any) -> Callable[[Sequence[Tensor]], np.ndarray[Any, Any]]:
    """A session as a function of tensors."""
    names = [each.name for each in opened.get_inputs()]

    def run(given: Sequence[Tensor]) -> np.ndarray[Any, Any]:
        fed = {name: tensor.numpy() for name, tensor in zip(INPUTS, given, strict=False) if name in names}
        answer: np.ndarray[Any, Any] = opened.run(["logits"], fed)[0]
        return answer

    return run


def _program(bare: Bare, folder: Path) -> Any:
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


def _seen(mask: np.ndarray[Any, Any], head: str) -> np.ndarray[Any, Any]:
    """1 where a logit is of a token that is no padding, or of a whole row."""
    if head == "span":
        return mask[:, None, :]
    return mask[:, :, None] if head in ("words", "characters") else np.ones((len(mask), 1))


def _seconds(work: Callable[[Sequence[Tensor]], object], given: Sequence[Tensor]) -> float:
    started = time.perf_counter()
    work(given)
    return time.perf_counter() - started
