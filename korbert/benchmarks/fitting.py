"""Fine-tuning of one classifier with one seed: AdamW, linear warm-up and decay, gradients clipped to norm 1.

Settings as published for Korean encoders (KoELECTRA's and KLUE's fine-tuning code: AdamW with eps 1e-8, linear
decay, clip 1.0); an epoch is a pure function of the weights, the optimiser's state and (seed, epoch), so a fitting
that is restored at the end of an epoch, or of a part of one, goes on as if it had not stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from korbert.benchmarks.batches import EncodedRows, training_batches
from korbert.benchmarks.classifier import logits
from korbert.benchmarks.crew import Crew
from korbert.benchmarks.layers import parameter_groups
from korbert.benchmarks.packed_bert import PackedBert, can_pack
from korbert.benchmarks.shared_step import begin, clipped_step, shares
from korbert.config import FinetuneConfig
from korbert.errors import UsageError
from korbert.training.schedule import learning_rate

CLIP = 1.0
EPSILON = 1e-8
CURVE_POINTS = 50
"""Points of the training curve an epoch, at most."""

TRAINING_PASSES = 3
"""Work of a training row in forward passes: the backward pass costs about two."""

Part = tuple[int, int, int]
"""(begin, end, of): an epoch's steps from share begin/of to share end/of."""
WHOLE: Part = (0, 1, 1)

Advance = Callable[[int, str], None]
"""Told how many more forward passes of a row are done, and a note."""

Learn = Callable[[NDArray[np.int64]], torch.Tensor]
"""One optimiser step on the rows of these numbers; answers their loss."""


class Diverged(UsageError):
    """The loss is no number any more: the settings are too bold for this model."""


@dataclass(frozen=True)
class Settings:
    """What a sweep searches, and what it does not."""

    epochs: int
    batch: int
    lr: float
    warmup: float
    weight_decay: float
    dropout: float
    seed: int
    layer_decay: float = 1.0
    class_weights: str = "none"

    @classmethod
    def of(cls, config: FinetuneConfig, seed: int) -> Settings:
        """The settings that a config gives one seed's run."""
        return cls(
            config.epochs, config.batch, config.lr, config.warmup, config.weight_decay, config.dropout, seed,
            config.layer_decay, config.class_weights,
        )  # fmt: skip


@dataclass(frozen=True)
class Point:
    """Mean loss of a stretch of steps."""

    epoch: int
    step: int
    """Optimiser steps done since the fitting began."""
    loss: float
    lr: float


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training rows gave."""

    points: list[Point]
    loss: float
    """Mean over the epoch's steps."""
    tokens: int
    """Tokens of the rows, padding not counted."""
    seconds: float


class Fitting:
    """A classifier in training."""

    def __init__(self, model: PreTrainedModel, rows: EncodedRows, pad: int, settings: Settings) -> None:
        self.model, self.settings = model, settings
        self._rows, self._pad = rows, pad
        self._steps = -(-len(rows) // settings.batch)
        self._drawn: torch.Tensor | None = None
        """State of the device's random numbers where a part of an epoch has ended."""
        balanced = settings.class_weights == "balanced"
        self._weights = rows.balance(model.config.num_labels or 0).to(model.device) if balanced else None
        self._optimizer = torch.optim.AdamW(
            parameter_groups(model, settings.weight_decay, settings.layer_decay),
            lr=settings.lr,
            eps=EPSILON,
            fused=True,
        )

    def epoch(self, number: int, advance: Advance = lambda *_: None, part: Part = WHOLE) -> Epoch:
        """One pass over the training rows, or a part of it: all parts in turn are the pass, to the bit.

        Args:
            number: From 1; with the settings' seed it decides order and dropout.
            advance: Told of every batch.
            part: Which steps; the parts of an epoch come one after another.

        Raises:
            Diverged: when the loss is not finite.
        """
        crew = Crew(torch.get_num_threads()) if can_pack(self.model) else None
        with crew or nullcontext():
            return self._epoch(number, part, advance, self._packed(crew) if crew else self._plain)

    def _epoch(self, number: int, part: Part, advance: Advance, learn: Learn) -> Epoch:
        settings, started = self.settings, time.monotonic()
        begin, end = (self._steps * share // part[2] for share in part[:2])
        self._draw_on(number, part)
        batches = training_batches(self._rows.lengths, settings.batch, settings.seed, number)[begin:end]
        stride = -(-len(batches) // CURVE_POINTS)
        points: list[Point] = []
        losses: list[torch.Tensor] = []
        total = 0.0
        for done, numbers in enumerate(batches, 1):
            step = (number - 1) * self._steps + begin + done
            losses.append(self._step(step, numbers, learn))
            if done % stride == 0 or done == len(batches):
                loss = self._finite(torch.stack(losses).mean().item(), step)
                points.append(Point(number, step, round(loss, 5), self._rate(step)))
                total += loss * len(losses)
                losses = []
            advance(TRAINING_PASSES * len(numbers), self._note(number, done, points, time.monotonic() - started))
        self._drawn = _random_state(self.model.device) if part[1] < part[2] else None
        tokens = sum(int(self._rows.lengths[numbers].sum()) for numbers in batches)
        return Epoch(points, total / max(len(batches), 1), tokens, time.monotonic() - started)

    def state(self) -> dict[str, Any]:
        """Weights and optimiser state, for a checkpoint at the end of an epoch or of a part of one."""
        return {"model": self.model.state_dict(), "optimizer": self._optimizer.state_dict(), "drawn": self._drawn}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up `state`'s answer."""
        self._drawn = state["drawn"]
        self.model.load_state_dict(state["model"])
        # A sweep may go on with other settings than the state was made with: the groups' own stay.
        own = [{name: group[name] for name in ("weight_decay", "scale")} for group in self._optimizer.param_groups]
        self._optimizer.load_state_dict(state["optimizer"])
        for group, settings in zip(self._optimizer.param_groups, own, strict=True):
            group.update(settings)

    def _draw_on(self, number: int, part: Part) -> None:
        """Random numbers of the epoch, from its begin or from where its last part has ended."""
        if part[0] == 0:
            torch.manual_seed(int(np.random.SeedSequence((self.settings.seed, number)).generate_state(1)[0]))
            return
        assert self._drawn is not None, "an epoch's parts come one after another"
        if self.model.device.type == "cuda":
            torch.cuda.set_rng_state(self._drawn, self.model.device)
        else:
            torch.set_rng_state(self._drawn)

    def _step(self, step: int, numbers: NDArray[np.int64], learn: Learn) -> torch.Tensor:
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate(step) * group["scale"]
        loss = learn(numbers)
        self._optimizer.zero_grad(set_to_none=True)
        return loss

    def _plain(self, numbers: NDArray[np.int64]) -> torch.Tensor:
        """Any model's step."""
        loss = self._loss(numbers, logits(self.model, self._rows, numbers, self._pad))
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self._optimizer.step()
        return loss

    def _packed(self, crew: Crew) -> Learn:
        """The same step of a model that can be packed, on all cores."""
        packed = PackedBert(self.model, crew)
        begin(self._optimizer)
        divided = shares(self._optimizer, crew.size)

        def learn(numbers: NDArray[np.int64]) -> torch.Tensor:
            loss = self._loss(numbers, packed.scores(self._rows, numbers))
            clipped_step(self._optimizer, divided, crew, CLIP)
            return loss

        return learn

    def _loss(self, numbers: NDArray[np.int64], scores: torch.Tensor) -> torch.Tensor:
        """The rows' loss, sent backwards."""
        loss = self._rows.loss(scores, self._rows.targets(numbers).to(scores.device), self._weights)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _note(self, epoch: int, done: int, points: list[Point], seconds: float) -> str:
        pace = done * self.settings.batch / max(seconds, 1e-9)
        loss = f"loss {points[-1].loss:.3f}, " if points else ""
        return f"epoch {epoch}/{self.settings.epochs}, {loss}{pace:,.0f} rows/s"

    def _rate(self, step: int) -> float:
        steps = self._steps * self.settings.epochs
        return learning_rate(step - 1, steps=steps, peak=self.settings.lr, warmup=self.settings.warmup, kind="linear")

    def _finite(self, loss: float, step: int) -> float:
        if not math.isfinite(loss):
            raise Diverged(
                f"finetune.lr = {self.settings.lr}: the loss is {loss} at step {step} of seed {self.settings.seed}; "
                "choose a smaller one"
            )
        return loss


def _random_state(device: torch.device) -> torch.Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()
