"""Our side's worker processes, as many as the recipe trains with, that train a round when they are told to.

Between rounds they wait for a message and use no processor.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from korbert.bench.measure import Seconds
from korbert.config import Config
from korbert.errors import UsageError, WorldError

_GRACE = 10.0


class Workers:
    """Workers of one training. Not one of them is told about the wall clock: it is this process's."""

    def __init__(self, wires: list[Connection]) -> None:
        self._wires = wires

    def train(self, first: int, steps: int) -> Seconds:
        """Trains steps on all workers; processor seconds are those of all.

        Raises:
            WorldError: when a worker is lost.
        """
        began = Seconds.now()
        parts = self._ask("train", first, steps)
        return Seconds(began.until(Seconds.now()).wall, sum(seconds.processor for seconds in parts))

    def breakdown(self, first: int, steps: int) -> dict[str, float]:
        """Shares of the first worker's time in some more steps.

        Raises:
            WorldError: when a worker is lost.
        """
        shares: dict[str, float] = self._ask("breakdown", first, steps)[0]
        return shares

    def ready(self) -> None:
        """Waits until every worker has its model.

        Raises:
            UsageError: when the recipe asks for what the machine has not.
            WorldError: when a worker is lost.
        """
        self._ask()

    def _ask(self, *words: Any) -> list[Any]:
        """Each worker's answer to the words; without any, to its start."""
        try:
            for wire in self._wires if words else ():
                wire.send(words)
            answers = [wire.recv() for wire in self._wires]
        except (EOFError, OSError) as error:
            raise WorldError(
                "bench pretrain: a worker process has ended; its last words stand above, or dmesg tells of memory"
            ) from error
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


@contextmanager
def workers_of(config: Config, tokens: Path) -> Iterator[Workers]:
    """`training.workers` workers of `training.threads` threads on this machine; they end with the block."""
    context = multiprocessing.get_context("spawn")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    wires, processes = [], []
    try:
        for rank in range(config.training.workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, config, tokens, rank, port), daemon=True)
            process.start()
            theirs.close()
            wires.append(ours)
            processes.append(process)
        team = Workers(wires)
        team.ready()
        yield team
    finally:
        for wire in wires:
            wire.close()
        for process in processes:
            process.join(_GRACE)
            process.kill()


def _work(wire: Connection, config: Config, tokens: Path, rank: int, port: int) -> None:
    import torch

    from korbert.bench.step import Ours
    from korbert.training.device import accelerator
    from korbert.training.process_group import World, process_group

    size = config.training.workers
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE=str(size))
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(config.training.threads)
    world = World(rank=rank, size=size, local_rank=rank)
    try:
        device = accelerator(config.training, rank)
    except (UsageError, WorldError) as error:
        wire.send(error)
        return
    with process_group(world, device):
        ours = Ours(config, tokens, world, device)
        wire.send("ready")
        while True:
            try:
                word, first, steps = wire.recv()
            except EOFError:  # the measurement is over
                return
            wire.send(ours.train(first, steps)[0] if word == "train" else ours.breakdown(first, steps))
