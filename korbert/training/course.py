"""What is to be trained, derived from config and tokens alone: the same in the driver and in every worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from korbert import chain
from korbert.chain import Workspace
from korbert.config import Config, DataConfig, TrainingConfig
from korbert.data.loader import Loader
from korbert.data.masking import MaskRate
from korbert.data.samples import Samples
from korbert.data.shards import TokenStore
from korbert.data.steps import Order, Ramp, Short, ramp
from korbert.model.layout import Budget
from korbert.storage import Plan, read_manifest
from korbert.training.checkpoint import RECORD, Checkpoints
from korbert.training.feed import budget_of
from korbert.training.journal import Journal
from korbert.training.metrics import MetricsFile
from korbert.training.process_group import World
from korbert.training.shelves import shelf_of


@dataclass(frozen=True)
class Course:
    """One training: its data, its length, and the places of its files."""

    config: Config
    plan: Plan
    store: TokenStore
    samples: Samples
    order: Order
    steps: int
    """Optimiser steps from the first to the last."""
    short: Samples | None = None
    """The samples of the first epochs, where `training.short_epochs` cuts them shorter."""

    @property
    def folder(self) -> Path:
        """The artefact's folder."""
        return self.plan.path

    @property
    def workspace(self) -> Workspace:
        """Where the other stages' artefacts lie."""
        return Workspace(self.folder.parent)

    @property
    def audit(self) -> Path:
        """The audit log's folder."""
        return self.folder / "audit"

    @property
    def logs(self) -> Path:
        """Folder of the processes' logs."""
        return self.folder / "logs"

    @property
    def wandb(self) -> Path:
        """Folder of the wandb run."""
        return self.folder / "wandb"

    @property
    def weights(self) -> Path:
        """The trained weights."""
        return self.folder / "model.safetensors"

    @property
    def metrics(self) -> MetricsFile:
        """The curves."""
        return MetricsFile(self.folder / "metrics.jsonl")

    @property
    def journal(self) -> Journal:
        """When attempts began, saved and ended."""
        return Journal(self.folder / "attempts.jsonl")

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints, where `training.checkpoint_url` says.

        Raises:
            UsageError: when it is a URL that cannot be used.
        """
        training = self.config.training
        shelf = shelf_of(training.checkpoint_url, self.folder / "checkpoints", RECORD)
        return Checkpoints(shelf, self.plan.key, self.plan.config, training.keep_checkpoints)

    @property
    def budget(self) -> Budget | None:
        """The fixed sizes of every micro-batch, where `training.static_shapes` asks for them."""
        training, data = self.config.training, self.config.data
        if not training.static_shapes:
            return None
        tokens, rate = training.rows_per_micro_batch * training.row_tokens, max(data.mask_rate, data.mask_rate_end)
        cuts = [self.samples, self.short] if self.short else [self.samples]
        budgets = [budget_of(cut, tokens=tokens, longest=data.max_tokens, mask_rate=rate) for cut in cuts]
        return Budget(*(max(sizes) for sizes in zip(*budgets, strict=True)))

    def steps_done(self, warn: Callable[[str], None]) -> int:
        """Optimiser steps that a restart would not repeat: all, or those of the newest good checkpoint."""
        if read_manifest(self.folder) is not None:
            return self.steps
        newest = self.checkpoints.newest(warn)
        return newest.progress.step if newest else 0

    def loader(self, world: World) -> Loader:
        """Makes the batches of one worker."""
        training = self.config.training
        return Loader(
            self.samples,
            self.order,
            row_tokens=training.row_tokens,
            rows_per_micro_batch=training.rows_per_micro_batch,
            rank=world.rank,
            world=world.size,
            mask_rate=MaskRate.of(self.config.data, self.steps),
            short=self.short,
        )


def course(config: Config, workspace: Workspace) -> Course:
    """The training that `config` asks for on the workspace's tokens.

    Raises:
        UsageError: when the tokens are absent, damaged or empty.
    """
    plan = chain.plan(config, workspace, "pretrain")
    store = TokenStore(workspace.path("tokens"))
    samples = Samples(store, config.data, config.seed)
    training = config.training
    short = Samples(store, data_at(config, 0), config.seed) if training.short_epochs else None
    begin = Short(training.short_epochs, len(short)) if short else Short()
    total = begin.epochs * begin.samples + (training.epochs - begin.epochs) * len(samples)
    order = Order(len(samples), training.global_batch, config.seed, _ramp(training, total), begin)
    steps = order.first_step(training.epochs)
    return Course(config, plan, store, samples, order, min(steps, training.max_steps or steps), short)


def data_at(config: Config, epoch: int) -> DataConfig:
    """How an epoch's samples are cut and drawn: the first may have shorter ones."""
    if epoch >= config.training.short_epochs:
        return config.data
    return replace(config.data, max_tokens=config.training.short_tokens)


def _ramp(training: TrainingConfig, samples: int) -> Ramp:
    """The batch's growth over about its share of the steps for all epochs' samples; it makes them more."""
    share, full = training.batch_ramp, training.global_batch
    mean = share * (training.batch_start + full) / 2 + (1 - share) * full
    steps = round(samples / mean)
    return ramp(training.batch_start, full, share, min(steps, training.max_steps or steps))
