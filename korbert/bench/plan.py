"""What more GPUs would bring: a step's time on n nodes from one GPU's speed, the gradients' bytes and the link.

Formulae. A step's tokens are shared by N ranks; each computes C = tokens / (N x a rank's tokens a second). Its
gradients travel in a ring: 2 (N - 1) / N of their bytes over the slowest link (Patarasuk and Yuan 2009; Baidu's and
NCCL's ring), X = that / bandwidth. `no_sync` in gradient accumulation lets them travel once a step, with the last of m
micro-batches (PyTorch's DistributedDataParallel), while that one's backward pass runs: two thirds of its time, as a
backward pass costs twice the forward (Kaplan et al. 2020, section 2.1). What is not hidden: max(0, X - 2/3 C / m). The
step takes C and that; efficiency is C over the step's time. Latency, stragglers and the data are not in it.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import Any

from korbert.config import Config
from korbert.errors import UsageError
from korbert.model.cost import flops_a_token, parameters

BACKWARD_SHARE = 2 / 3
NVLINK = 450e9
"""Bytes a second each way between the GPUs of a node (NVLink 4: H100, H200)."""
BYTES = {"fp32": 4, "bf16": 2}
_LINK = re.compile(r"(\d+(?:\.\d+)?)\s*(GbE|Gbps|Gb/s|GB/s)")


@dataclass(frozen=True)
class Work:
    """What is trained."""

    parameters: int
    """Trained numbers: each has a gradient."""
    flops_a_token: float
    """Operations a token, forward and backward."""
    step_tokens: float
    """Real tokens of a step over all ranks."""
    rows: int
    """Packed rows of a step."""
    rows_per_micro_batch: int
    total_tokens: float
    """Real tokens of the whole training; 0: not known."""

    @classmethod
    def of(cls, config: Config, vocab_size: int, sample_tokens: float, steps: int) -> Work:
        """A config's.

        Args:
            config: model, data, batch.
            vocab_size: entries of the tokenizer.
            sample_tokens: mean real tokens of a sample.
            steps: optimiser steps of the whole training; 0: not known.
        """
        training = config.training
        step_tokens = training.global_batch * sample_tokens
        return cls(
            parameters=parameters(config.model, vocab_size),
            flops_a_token=flops_a_token(config.model, vocab_size, round(sample_tokens), config.data.mask_rate),
            step_tokens=step_tokens,
            rows=math.ceil(step_tokens / training.row_tokens),
            rows_per_micro_batch=training.rows_per_micro_batch,
            total_tokens=steps * step_tokens,
        )


@dataclass(frozen=True)
class Cluster:
    """What it is trained on."""

    nodes: int
    gpus: int
    """Of each node: a rank each."""
    link: float
    """Bytes a second each way between two nodes."""

    def __post_init__(self) -> None:
        for name in ("nodes", "gpus"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} {getattr(self, name)}: must be at least 1")

    @property
    def ranks(self) -> int:
        """All GPUs."""
        return self.nodes * self.gpus

    @property
    def slowest(self) -> float:
        """Bytes a second of the ring's slowest link: between nodes, or NVLink in one."""
        return self.link if self.nodes > 1 else NVLINK


@dataclass(frozen=True)
class Prediction:
    """A step's time and what follows from it. Seconds, bytes, tokens."""

    communication: str
    """fp32 or bf16: the type the gradients travel as."""
    once: bool
    """Whether they travel once a step (`no_sync`), or with every micro-batch."""
    micro_batches: int
    compute_seconds: float
    exchange_bytes: float
    """Over the slowest link, each way, a step."""
    exchange_seconds: float
    exposed_seconds: float
    """Of the exchange, what no backward pass hides."""
    step_seconds: float
    efficiency: float
    """Share of the step in which every GPU computes."""
    tokens_per_second: float
    hours: float
    """Of the whole training; 0: not known."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def predict(
    work: Work, cluster: Cluster, rank_tokens_per_second: float, communication: str, *, once: bool = True
) -> Prediction:
    """By the module's formulae.

    Args:
        work: what is trained.
        cluster: on what.
        rank_tokens_per_second: real tokens a second of one GPU alone.
        communication: fp32 or bf16.
        once: as in `Prediction`.
    """
    ranks, micro = cluster.ranks, micro_batches(work, cluster.ranks)
    compute = work.step_tokens / ranks / rank_tokens_per_second
    trips = 1 if once else micro
    volume = ring_bytes(work.parameters * BYTES[communication], ranks)
    exchange = volume / cluster.slowest
    exposed = trips * max(0.0, exchange - BACKWARD_SHARE * compute / micro)
    step = compute + exposed
    rate = work.step_tokens / step
    return Prediction(
        communication, once, micro, compute, trips * volume, trips * exchange, exposed, step, compute / step, rate,
        work.total_tokens / rate / 3600,
    )  # fmt: skip


def ring_bytes(size: float, ranks: int) -> float:
    """Bytes each rank sends to average `size` bytes in a ring: a reduce-scatter and an all-gather of (N - 1) / N each
    (Patarasuk and Yuan 2009)."""
    return 2 * (ranks - 1) / ranks * size


def micro_batches(work: Work, ranks: int) -> int:
    """Micro-batches of a step on the rank with most rows."""
    return math.ceil(math.ceil(work.rows / ranks) / work.rows_per_micro_batch)


def rank_speed(
    work: Work, *, step_seconds: float = 0, measured: float = 0, peak_tflops: float = 0, mfu: float
) -> float:
    """One GPU's real tokens a second from the first that is given.

    Args:
        work: what is trained.
        step_seconds: that one GPU takes for a whole step alone.
        measured: tokens a second, measured.
        peak_tflops: its rate of matrix products, of which `mfu` is reached.
        mfu: a share.

    Raises:
        UsageError: when none is given, or a share is none.
    """
    if not 0 < mfu <= 1:
        raise UsageError(f"--mfu {mfu:g}: is a share: above 0, at most 1")
    if min(step_seconds, peak_tflops) < 0:
        raise UsageError("--step-seconds, --peak-tflops: must be more than 0")
    if step_seconds:
        return work.step_tokens / step_seconds
    if measured:
        return measured
    if peak_tflops:
        return peak_tflops * 1e12 * mfu / work.flops_a_token
    raise UsageError("plan: needs one GPU's speed; give --step-seconds, --bench or --peak-tflops")


def link_of(text: str) -> float:
    """Bytes a second of a link as people write it: 25GbE, 400Gb/s, 50GB/s.

    Raises:
        UsageError: for anything else.
    """
    found = _LINK.fullmatch(text.strip())
    if not found or not float(found[1]):
        raise UsageError(f"--link {text!r}: must be a number and GbE, Gb/s, Gbps or GB/s, like 25GbE")
    return float(found[1]) * 1e9 / (1 if found[2] == "GB/s" else 8)
