"""Whether an ONNX file answers as the model it was made from, and how fast: in one process, in turns.

b rows, t tokens.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from korbert.use.loading import Usable, plain_model
from korbert.use.onnx import INPUTS, Bare, inputs, session

BATCHES = (1, 32)
"""Rows a batch whose speed is measured."""
SPEED_TOKENS = 48
"""Tokens of a row then; NSMC's reviews have 20 to 60."""
ROUNDS = 5


@dataclass(frozen=True)
class Speed:
    """Texts a second with each, in one process and in turns."""

    batch: int
    torch: float
    onnx: float


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


def runner(opened: Any) -> Callable[[Sequence[Tensor]], np.ndarray[Any, Any]]:
    """A session as a function of tensors."""
    names = [each.name for each in opened.get_inputs()]

    def run(given: Sequence[Tensor]) -> np.ndarray[Any, Any]:
        fed = {name: tensor.numpy() for name, tensor in zip(INPUTS, given, strict=False) if name in names}
        answer: np.ndarray[Any, Any] = opened.run(["logits"], fed)[0]
        return answer

    return run


def _seen(mask: np.ndarray[Any, Any], head: str) -> np.ndarray[Any, Any]:
    """1 where a logit is of a token that is no padding, or of a whole row."""
    if head == "span":
        return mask[:, None, :]
    return mask[:, :, None] if head in ("words", "characters") else np.ones((len(mask), 1))


def _seconds(work: Callable[[Sequence[Tensor]], object], given: Sequence[Tensor]) -> float:
    started = time.perf_counter()
    work(given)
    return time.perf_counter() - started
