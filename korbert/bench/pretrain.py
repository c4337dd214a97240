"""Pre-training steps: real tokens a second, the share of this machine's matrix rate, and where the time goes.

Ours is what the trainer does: the loader draws, masks and packs samples, the model lays them one after another without
padding, gradients are clipped, its own optimiser steps; all of it is timed. Beside it, on wish, `korbert.bench.peer`:
transformers' Trainer on the same samples, masks, first weights, hidden dropout and threads. Real tokens are counted,
padding never. Rounds alternate, and each is timed by the wall clock and by processor time.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from korbert.bench.breakdown import Parts, chart
from korbert.bench.measure import Measurement, Seconds, machine, versions
from korbert.bench.peer import Peer, examples
from korbert.bench.roofline import matrix_rate
from korbert.config import Config
from korbert.data.loader import Loader, StepBatch
from korbert.data.samples import Samples
from korbert.data.shards import TokenStore
from korbert.data.steps import Order
from korbert.errors import UsageError
from korbert.model.build import build
from korbert.training import optimizer
from korbert.training.device import CpuAccelerator
from korbert.training.feed import Feed
from korbert.training.metrics import step_cost

# Samples a round: enough for a second or two of work, few enough for several rounds a minute.
ROUND_SAMPLES = 64
MAX_TOKENS = 512


class Ours:
    """The trainer's step on the CPU, without its records and checkpoints."""

    def __init__(self, config: Config, tokens: Path) -> None:
        self.config, self.store = config, TokenStore(tokens)
        self.samples = Samples(self.store, config.data, config.seed)
        self.size = min(ROUND_SAMPLES, len(self.samples))
        training = config.training
        self.loader = Loader(
            self.samples, Order(len(self.samples), self.size, config.seed), row_tokens=training.row_tokens,
            rows_per_micro_batch=training.rows_per_micro_batch, rank=0, world=1,
        )  # fmt: skip
        accelerator = CpuAccelerator()
        accelerator.seed(config.seed)
        self.model = build(config.model, self.store.vocab_size, self.store.special.pad).train()
        self._optimizer = optimizer.build(self.model, training, accelerator.device)
        self._feed = Feed(accelerator, self.store.special)
        self._cost = step_cost(config.model, self.store.vocab_size)

    def train(self, step: int, enter: Callable[[str], None] = lambda _: None) -> tuple[Seconds, StepBatch]:
        """One step, its batch's making included; `enter` is told what it does now."""
        began = Seconds.now()
        enter("data")
        batch = self.loader.batch(step)
        for inputs in self._feed(batch):
            enter("embeddings")
            losses = self.model(*inputs)
            enter("backward")
            (losses.mlm / batch.global_masked + losses.sop / batch.global_samples).backward()
            enter("data")
        enter("optimiser")
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.training.clip or float("inf"))
        self._optimizer.step(self.config.training.lr)
        enter("")
        return began.until(Seconds.now()), batch

    def flops(self, batch: StepBatch) -> int:
        """Operations of its forward and backward passes."""
        return self._cost(batch)

    def breakdown(self, first: int, steps: int) -> dict[str, float]:
        """Shares of the time of some more steps."""
        parts = Parts()
        with parts.watching(self.model):
            for step in range(first, first + steps):
                self.train(step, parts.enter)
        return parts.shares()


def lengthened(config: Config, max_tokens: int) -> Config:
    """The recipe with samples and rows of at most `max_tokens`, and as many rows a micro-batch as it had."""
    return replace(
        config,
        data=replace(config.data, max_tokens=max_tokens),
        model=replace(config.model, max_positions=max(max_tokens, config.model.max_positions)),
        training=replace(config.training, row_tokens=max_tokens),
    )


def measure(
    config: Config, tokens: Path, rounds: int, *, against: bool = True, attention_dropout: float | None = None
) -> Measurement:
    """Trains ours, and the peer where `against` says so, on the first steps of the recipe's order over `tokens`.

    Args:
        config: model, data and batch shape.
        tokens: a tokens artefact.
        rounds: counted rounds of `ROUND_SAMPLES` samples each, after an uncounted one.
        against: whether the peer trains too.
        attention_dropout: the peer's dropout of attention weights; None: as its hidden dropout, as BERT has it. Ours
            has none.

    Raises:
        UsageError: when there is no text in `tokens`, or the peer has no such architecture.
    """
    if against and config.model.architecture != "bert":
        kind = config.model.architecture
        raise UsageError(f"model.architecture = {kind!r}: the peer is a BERT; choose bert, or leave --against out")
    ours = Ours(config, tokens)
    dropout = config.model.dropout if attention_dropout is None else attention_dropout
    with tempfile.TemporaryDirectory(prefix="korbert-bench-") as folder:
        peer = Peer(ours.model, config.model, ours.store, dropout, folder) if against else None
        taken = [_round(ours, peer, number) for number in range(rounds + 1)][1:]
    shares = ours.breakdown(rounds + 1, min(3, rounds))
    details = _speed(taken) | _setting(ours) | {"breakdown": {part: round(share, 4) for part, share in shares.items()}}
    if peer:
        details |= {"peer_attention_dropout": dropout, "peer_optimizer": peer.optimizer}
    return Measurement(
        name="pretrain",
        peer_name="transformers",
        unit="real tokens/s",
        ours=[one["tokens"] / one["ours"].wall for one in taken],
        peer=[one["tokens"] / one["peer"].wall for one in taken] if peer else [],
        machine=machine(),
        details=details,
        notes=_notes(details, shares),
    )


def _round(ours: Ours, peer: Peer | None, number: int) -> dict[str, Any]:
    rate = matrix_rate()
    seconds, batch = ours.train(number)
    one = {"tokens": batch.global_tokens, "flops": ours.flops(batch), "ours": seconds, "rate": rate}
    if peer:
        one["peer"] = peer.train(examples([part for part in batch.micro_batches if part]))
    return one


def _speed(taken: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the rounds; those by processor time are what an undisturbed machine would show more steadily."""
    wall = [one["flops"] / one["ours"].wall / one["rate"].wall for one in taken]
    processor = [one["flops"] / one["ours"].processor / one["rate"].processor for one in taken]
    speed = {
        "mfu": round(statistics.median(wall), 4),
        "mfu_processor": round(statistics.median(processor), 4),
        "matrix_gflops": round(max(one["rate"].wall for one in taken) / 1e9, 1),
        "matrix_gflops_a_core": round(max(one["rate"].processor for one in taken) / 1e9, 1),
        "ours_a_processor_second": round(statistics.median(o["tokens"] / o["ours"].processor for o in taken)),
    }
    if "peer" in taken[0]:
        pairs = [one["peer"].processor / one["ours"].processor for one in taken]
        speed["peer_a_processor_second"] = round(statistics.median(o["tokens"] / o["peer"].processor for o in taken))
        speed["ratio_processor"] = round(statistics.median(pairs), 3)
    return speed


def _setting(ours: Ours) -> dict[str, Any]:
    config = ours.config
    return {
        "recipe": config.recipe,
        "parameters": sum(p.numel() for p in ours.model.parameters()),
        "vocabulary": ours.store.vocab_size,
        "max_tokens": config.data.max_tokens,
        "mean_sample_tokens": round(float(ours.samples.lengths.mean()), 1),
        "samples_a_round": ours.size,
        "row_tokens": config.training.row_tokens,
        "rows_per_micro_batch": config.training.rows_per_micro_batch,
        "dropout": config.model.dropout,
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
        **versions("torch", "transformers", "accelerate"),
    }


def _notes(details: dict[str, Any], shares: dict[str, float]) -> list[str]:
    lines = []
    if "ratio_processor" in details:
        lines.append(
            f"  by processor time: ours {details['ours_a_processor_second']:,}, peer "
            f"{details['peer_a_processor_second']:,} a processor second, ratio {details['ratio_processor']:.2f}"
        )
    lines.append(
        f"  matrix rate   {details['matrix_gflops']:,.0f} GFLOP/s fp32; our step reaches {details['mfu']:.1%} of it"
        f" ({details['mfu_processor']:.1%} by processor time)"
    )
    return [*lines, "  where our step's time goes", *chart(shares)]
