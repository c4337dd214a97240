"""The curves: means over a window of steps, a JSON line each, without a host sync in the steps between."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from korbert.config import ModelConfig
from korbert.data.loader import StepBatch
from korbert.errors import WorldError
from korbert.model.cost import flops
from korbert.model.pretraining import PretrainLosses
from korbert.storage import write_bytes
from korbert.training.checkpoint import Progress
from korbert.training.device import Accelerator

Batches = Generator[StepBatch, None, None]


class Window:
    """Sums since the last line. Losses and hits stay on the device until the window is read."""

    def __init__(self, accelerator: Accelerator, cost: Callable[[StepBatch], int] = lambda _: 0) -> None:
        """An empty window; `cost` answers the floating-point operations of this rank's part of a step."""
        self._accelerator, self._cost = accelerator, cost
        self.peak = 0.0
        """FLOP a second that each rank's device could do; 0: not known, and no MFU is told."""
        self._reset()

    def _reset(self) -> None:
        # MLM, SOP, their hits, and the gradients' norms.
        self._sums = torch.zeros(5, dtype=torch.float64, device=self._accelerator.device)
        self._steps = self._masked = self._samples = self._tokens = self._flops = 0
        self._waited = self._saving = 0.0
        self._started = time.monotonic()

    def waiting(self, batches: Batches) -> Batches:
        """The batches; the time until each is there counts as waiting for data. Whoever closes it closes them."""
        with closing(batches):
            while True:
                asked = time.monotonic()
                batch = next(batches, None)
                self._waited += time.monotonic() - asked
                if batch is None:
                    return
                yield batch

    def leave_out(self, seconds: float) -> None:
        """Time since the last line that was not spent on training."""
        self._started += seconds

    def saved(self, seconds: float) -> None:
        """Time for which training stood still for a checkpoint. Rank 0 alone tells: the others wait for it."""
        self._saving += seconds

    def add_losses(self, losses: PretrainLosses) -> None:
        """Adds one micro-batch of this rank."""
        self._sums[:4] += torch.stack([value.detach().double() for value in losses])

    def add_step(self, batch: StepBatch, norm: Tensor) -> None:
        """Adds a step's counts (over all ranks) and its gradient norm before clipping."""
        self._steps += 1
        self._masked += batch.global_masked
        self._samples += batch.global_samples
        self._tokens += batch.global_tokens
        self._flops += self._cost(batch)
        self._sums[4] += norm.detach()

    def read(
        self, world_size: int, exchange: Callable[[], float] = lambda: 0.0, recompiles: int | None = None
    ) -> dict[str, float]:
        """Means over the window and over all ranks, which must all call; then a new window begins.

        Args:
            world_size: ranks.
            exchange: answers the seconds that this rank's device waited for the others' gradients.
            recompiles: how often this rank's passes have been compiled anew; None: they are not compiled.
        """
        own = torch.tensor([self._flops, self._waited, exchange(), self._saving, recompiles or 0], dtype=torch.float64)
        sums = torch.cat([self._sums, own.to(self._accelerator.device)])
        if world_size > 1:
            dist.all_reduce(sums)
        mlm, sop, mlm_correct, sop_correct, norms, *own_sums = self._accelerator.read(sums)
        flops, waited, exchanged, saving, compiled = own_sums
        seconds = max(1e-9, time.monotonic() - self._started)
        means = {
            "mlm": mlm / self._masked,
            "sop": sop / self._samples,
            "loss": mlm / self._masked + sop / self._samples,
            "mlm_accuracy": mlm_correct / self._masked,
            "sop_accuracy": sop_correct / self._samples,
            "grad_norm": norms / world_size / self._steps,
            "tokens_per_second": self._tokens / seconds,
            "data_stall": waited / world_size / seconds,
            "communication_stall": exchanged / world_size / seconds,
            "checkpoint_stall": saving / seconds,
        }
        if recompiles is not None:
            means["recompiles"] = compiled
        if self.peak:
            means["mfu"] = flops / (seconds * self.peak * world_size)
        self._reset()
        return means


def step_cost(shape: ModelConfig, vocab_size: int) -> Callable[[StepBatch], int]:
    """Answers the floating-point operations of a rank's part of a step, forward and backward."""

    def cost(batch: StepBatch) -> int:
        parts = (part for part in batch.micro_batches if part)
        return sum(flops(shape, vocab_size, part.lengths, part.masked_counts) for part in parts)

    return cost


@dataclass(frozen=True)
class MetricsFile:
    """`metrics.jsonl`: a line a window, in steps without repetition over all restarts.

    The first line after a resumption is the mean over the steps since the checkpoint. A line with `held_out` is no
    window's: it holds what an evaluation after that step found.
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

    def windows(self) -> list[dict[str, Any]]:
        """The lines of training's windows."""
        return [line for line in self.read() if "held_out" not in line]

    def held_out(self) -> list[dict[str, Any]]:
        """The lines of evaluations."""
        return [line for line in self.read() if "held_out" in line]

    def read(self) -> list[dict[str, Any]]:
        """The whole lines so far; a torn one (the writer was killed) is left out."""
        lines: list[dict[str, Any]] = []
        for raw in self.path.read_bytes().splitlines():
            try:
                lines.append(json.loads(raw))
            except ValueError:
                continue
        return lines


def line_of(progress: Progress, epoch: int, means: dict[str, float], lr: float) -> dict[str, Any]:
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
    }
