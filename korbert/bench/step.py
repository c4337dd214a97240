"""Our side of `korbert bench pretrain`: one worker's part of the trainer's steps, without records and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from korbert.bench.breakdown import Parts
from korbert.bench.measure import Seconds
from korbert.config import Config
from korbert.data.loader import Loader, StepBatch
from korbert.data.samples import Samples
from korbert.data.shards import TokenStore
from korbert.data.steps import Order
from korbert.model.build import build
from korbert.model.pretraining import PretrainLosses
from korbert.training import optimizer
from korbert.training.device import Accelerator, CpuAccelerator
from korbert.training.feed import Feed, budget_of
from korbert.training.metrics import step_cost
from korbert.training.process_group import World
from korbert.training.replicas import Replicas


class Ours:
    """The trainer's step: the loader draws, masks and packs samples, the model lays them one after another without
    padding, workers' gradients are averaged and clipped, our optimiser steps."""

    def __init__(
        self, config: Config, tokens: Path, world: World | None = None, accelerator: Accelerator | None = None
    ) -> None:
        """The worker `world.rank` of `world.size`, whose process group is joined; None: the only one, on the CPU."""
        self.config, self.store = config, TokenStore(tokens)
        self.samples = Samples(self.store, config.data, config.seed)
        world, self.accelerator, training = world or World(), accelerator or CpuAccelerator(), config.training
        self.size = min(training.global_batch, len(self.samples))
        self._world = world
        self.loader = Loader(
            self.samples, Order(len(self.samples), self.size, config.seed), row_tokens=training.row_tokens,
            rows_per_micro_batch=training.rows_per_micro_batch, rank=world.rank, world=world.size,
        )  # fmt: skip
        self.accelerator.seed(config.seed)
        model = build(config.model, self.store.vocab_size, self.store.special.pad)
        self.model = model.to(self.accelerator.device).train()
        self._optimizer = optimizer.build(self.model, training, self.accelerator.device)
        self._replicas = Replicas(self.model, world, self.accelerator, training)
        budget = None
        if training.static_shapes:
            room = training.rows_per_micro_batch * training.row_tokens
            longest, rate = config.data.max_tokens, max(config.data.mask_rate, config.data.mask_rate_end)
            budget = budget_of(self.samples, tokens=room, longest=longest, mask_rate=rate)
        self._feed = Feed(self.accelerator, self.store.special, budget)
        self._cost = step_cost(config.model, self.store.vocab_size)

    def train(
        self, first: int, steps: int = 1, enter: Callable[[str], None] = lambda _: None
    ) -> tuple[Seconds, list[StepBatch]]:
        """Steps, the making of their batches included; `enter` is told what is done now."""
        self.accelerator.synchronize()
        began = Seconds.now()
        enter("data")
        with closing(self.loader.batches(first, first + steps)) as batches:
            made = [self._step(batch, enter) for batch in batches]
        self.accelerator.synchronize()
        return began.until(Seconds.now()), made

    def _step(self, batch: StepBatch, enter: Callable[[str], None]) -> StepBatch:
        last = len(batch.micro_batches) - 1
        for number, inputs in enumerate(self._feed(batch)):
            # Averaged over workers, while a loss is a sum over them; a worker without rows adds nothing.
            scale = self._world.size if batch.micro_batches[number] else 0

            def loss(losses: PretrainLosses, scale: int = scale) -> Tensor:
                enter("backward")
                return (losses.mlm / batch.global_masked + losses.sop / batch.global_samples) * scale

            enter("embeddings")
            self._replicas.backward(inputs, last=number == last, loss=loss)
        enter("optimiser")
        clip_grad_norm_(self.model.parameters(), self.config.training.clip or float("inf"))
        self._optimizer.step(self.config.training.lr)
        self.accelerator.step_ended()
        enter("data")
        return batch

    def flops(self, batch: StepBatch) -> int:
        """Operations of its forward and backward passes, of this worker's part."""
        return self._cost(batch)

    def breakdown(self, first: int, steps: int) -> dict[str, float]:
        """Shares of the time of some more steps."""
        parts = Parts()
        with parts.watching(self.model):
            self.train(first, steps, parts.enter)
        parts.enter("")
        return parts.shares()
