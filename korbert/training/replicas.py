"""The model on every rank: gradients meet once a step, and how long the device waited for that is known."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._C._distributed_c10d import GradBucket
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.nn.parallel import DistributedDataParallel

from korbert.config import TrainingConfig
from korbert.model.layout import Inputs
from korbert.model.pretraining import PretrainLosses
from korbert.training.compiled import Compiled
from korbert.training.device import Accelerator
from korbert.training.process_group import World

_LOG = logging.getLogger(__name__)


class Replicas:
    """One model, or the same on each of several ranks."""

    def __init__(
        self,
        model: nn.Module,
        world: World,
        accelerator: Accelerator,
        config: TrainingConfig,
        warn: Callable[[str], None] = _LOG.warning,
    ) -> None:
        """Of `model`; `warn` is told of compilations after the first where the config asks for compiled passes."""
        self._compiled = Compiled(model, warn) if config.compile else None
        self._accelerator, self._model = accelerator, self._compiled or model
        self._half = halved(config.communication, accelerator.precision)
        self._sent: Any = None
        self._waits: list[tuple[Any, Any]] = []
        if world.size > 1:
            self._model = DistributedDataParallel(self._model, gradient_as_bucket_view=True)
            self._model.register_comm_hook(None, lambda _, bucket: self._exchange(bucket))

    @property
    def alone(self) -> bool:
        """Whether there is one rank only."""
        return not isinstance(self._model, DistributedDataParallel)

    @property
    def recompiles(self) -> int | None:
        """How often the passes were compiled anew after the first micro-batch; None: they are not compiled."""
        return self._compiled.recompiles if self._compiled else None

    def backward(self, inputs: Inputs, *, last: bool, loss: Any) -> PretrainLosses:
        """Forward and backward of one micro-batch; with the step's last one the gradients are averaged over ranks.

        Args:
            inputs: the micro-batch on the device.
            last: whether it is the step's last.
            loss: losses of the micro-batch -> what is differentiated.
        """
        with self._quiet(last):
            with self._accelerator.autocast():
                losses: PretrainLosses = self._model(*inputs)
            loss(losses).backward()
        if last and self._sent is not None:
            self._waits.append((self._sent, self._accelerator.stamp()))
        return losses

    def waited(self) -> float:
        """Seconds, since the last call, between the last gradients' leaving and all averages' being there.

        What is left of the exchange when nothing remains to be computed, slower ranks included. Waits for the device:
        ask only when a line of metrics is due.
        """
        seconds = sum(self._accelerator.between(*pair) for pair in self._waits)
        self._waits.clear()
        return seconds

    def _quiet(self, last: bool) -> AbstractContextManager[Any]:
        if isinstance(self._model, DistributedDataParallel) and not last:
            return self._model.no_sync()
        return nullcontext()

    def _exchange(self, bucket: GradBucket) -> torch.futures.Future[Tensor]:
        if bucket.is_last():
            self._sent = self._accelerator.stamp()
        hook = default_hooks.bf16_compress_hook if self._half else default_hooks.allreduce_hook
        group = dist.group.WORLD
        assert group is not None, "there is no exchange without a group"
        return hook(group, bucket)


def halved(wanted: str, precision: str) -> bool:
    """Whether gradients travel as bf16: by `training.communication`, where `auto` follows the products' precision."""
    return (precision if wanted == "auto" else wanted) == "bf16"
