"""The curves: means over a window of steps, a JSON line each, without a host sync in the steps between."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from korbert.data.loader import StepBatch
from korbert.errors import WorldError
from korbert.model.bert import PretrainLosses
from korbert.storage import write_bytes
from korbert.training.checkpoint import Progress


class Window:
    """Sums since the last line. Losses and hits stay on the device until the window is read."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._reset()

    def _reset(self) -> None:
        self._sums = torch.zeros(4, dtype=torch.float64, device=self._device)  # mlm, sop and their hits
        self._norms = torch.zeros((), dtype=torch.float64, device=self._device)
        self._steps = self._masked = self._samples = self._tokens = 0
        self._started = time.monotonic()

    def add_losses(self, losses: PretrainLosses) -> None:
        """Adds one micro-batch of this rank."""
        self._sums += torch.stack([value.detach().double() for value in losses])

    def add_step(self, batch: StepBatch, norm: Tensor) -> None:
        """Adds a step's counts (over all ranks) and its gradient norm before clipping."""
        self._steps += 1
        self._masked += batch.global_masked
        self._samples += batch.global_samples
        self._tokens += batch.global_tokens
        self._norms += norm.detach()

    def read(self, world_size: int) -> dict[str, float]:
        """Means over the window and over all ranks, which must all call; then a new window begins."""
        if world_size > 1:
            dist.all_reduce(self._sums)
        mlm, sop, mlm_correct, sop_correct = self._sums.tolist()
        means = {
            "mlm": mlm / self._masked,
            "sop": sop / self._samples,
            "loss": mlm / self._masked + sop / self._samples,
            "mlm_accuracy": mlm_correct / self._masked,
            "sop_accuracy": sop_correct / self._samples,
            "grad_norm": self._norms.item() / self._steps,
            "tokens_per_second": self._tokens / max(1e-9, time.monotonic() - self._started),
        }
        self._reset()
        return means


@dataclass(frozen=True)
class MetricsFile:
    """`metrics.jsonl`: a line a window, in steps without repetition over all restarts.

    The first line after a resumption is the mean over the steps since the checkpoint.
    """

    path: Path

    def rewind(self, step: int) -> None:
        """Drops what was written after the checkpoint at `step`, and a torn last line."""
        if self.path.exists():
            kept = [line for line in self.read() if line["step"] <= step]
            write_bytes(self.path, "".join(json.dumps(line) + "\n" for line in kept).encode())

    def append(self, line: dict[str, Any]) -> None:
        """Adds a line."""
        with self.path.open("a") as handle:
            handle.write(json.dumps(line) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """The whole lines so far; a torn one (the writer was killed) is left out."""
        lines: list[dict[str, Any]] = []
        for raw in self.path.read_bytes().splitlines():
            try:
                lines.append(json.loads(raw))
            except ValueError:
                continue
        return lines


def line_of(progress: Progress, epoch: int, means: dict[str, float], lr: float, attempt: int) -> dict[str, Any]:
    """One line of the file. `step`, `samples`, `tokens` and `seconds` count from the start of training.

    Raises:
        WorldError: when the loss is no number any more.
    """
    if not math.isfinite(means["loss"]) or not math.isfinite(means["grad_norm"]):
        raise WorldError(
            f"step {progress.step}: the loss is {means['loss']}, the gradient norm {means['grad_norm']}: "
            "training has diverged; lower training.lr or raise training.warmup, and start it anew"
        )
    return {
        "step": progress.step,
        "epoch": epoch,
        "samples": progress.samples,
        "tokens": progress.tokens,
        **means,
        "lr": lr,
        "seconds": round(progress.seconds, 3),
        "attempt": attempt,
    }
