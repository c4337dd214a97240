"""The one place that knows this process among the others: its rank, and how they talk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from korbert.config import TrainingConfig
from korbert.training.device import Accelerator, accelerator

# Longest wait for another rank: rank 0 may be writing a checkpoint, or a lost peer may have gone without a word.
TIMEOUT = timedelta(minutes=10)
# Seconds that the watchdog has for naming a hung rank before waiting for it fails without a name.
_SLACK = 120.0


@dataclass(frozen=True)
class World:
    """This process among the workers."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    restart: int = 0
    """Times that this node's agent has started the workers again; nodes may differ."""

    @property
    def leads(self) -> bool:
        """Whether this process writes what is written once."""
        return self.rank == 0


def world_of(environment: Mapping[str, str]) -> World:
    """What torchrun tells a worker; a process of its own is a world of one."""
    return World(
        rank=int(environment.get("RANK", 0)),
        size=int(environment.get("WORLD_SIZE", 1)),
        local_rank=int(environment.get("LOCAL_RANK", 0)),
        restart=int(environment.get("TORCHELASTIC_RESTART_COUNT", 0)),
    )


def device_of(name: str, world: World) -> torch.device:
    """The device that a worker uses, for those who need no more of it; see `device.accelerator`."""
    return accelerator(TrainingConfig(device=name), world.local_rank).device


class Group:
    """The workers' agreement on small things. Its messages go between CPUs and never make a GPU wait."""

    def __init__(self, world: World, control: Any) -> None:
        self._world, self._control = world, control

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any rank: all get the same answer."""
        if self._world.size == 1:
            return flag
        votes = torch.tensor([int(flag)])
        dist.all_reduce(votes, op=dist.ReduceOp.MAX, group=self._control)
        return bool(votes.item())

    def from_leader(self, value: Any) -> Any:
        """Rank 0's value, on every rank."""
        if self._world.size == 1:
            return value
        carried = [value]
        dist.broadcast_object_list(carried, src=0, group=self._control)
        return carried[0]

    def barrier(self) -> None:
        """Waits until every rank is here."""
        self.any(False)


def patience(hang_timeout: float) -> timedelta:
    """Longest wait for another rank where `training.hang_timeout` is so many seconds."""
    return max(TIMEOUT, timedelta(seconds=hang_timeout + _SLACK))


@contextmanager
def process_group(world: World, accelerator: Accelerator, timeout: timedelta = TIMEOUT) -> Iterator[Group]:
    """Joins the workers, by their accelerators' backend, for the length of the block; no wait is longer than given."""
    if world.size == 1:
        yield Group(world, None)
        return
    dist.init_process_group(accelerator.backend, timeout=timeout)
    yield Group(world, dist.new_group(backend="gloo", timeout=timeout))
    # Not after a fault: with a peer lost in the middle of a message, leaving in good order can wait for ever.
    dist.destroy_process_group()
