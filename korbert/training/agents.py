"""torchrun's agents: the options that every node of a training starts one with, and the agent of this machine.

Several nodes share one workspace (a network file system) and one store that is a process of its own:

    python -m korbert.training.store --port 29400                        # once, anywhere
    torchrun $(options of `torchrun_arguments`) -m korbert.training --workspace DIR      # on every node

with the variables of `environment`. Nodes may come and go within `nodes`; in the end `korbert run --to pretrain` on the
workspace audits and publishes what they have trained.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import IO

from korbert.chain import Workspace
from korbert.config import Config
from korbert.processes import dies_with_parent
from korbert.training.store import LocalStore, local_store
from korbert.training.worker import PROGRESS_VARIABLE

# The store is nobody's child (is_host=0). A node that says nothing for 3 s is out; 5 s are left for others to join a
# world that could begin. Measured: two agents of which one is killed go on after 7 s, by torchrun's defaults after 17 s
# (and not at all where the killed one held the store).
_RENDEZVOUS = ("is_host=0", "keep_alive_interval=1", "keep_alive_max_attempt=3", "last_call_timeout=5")
# Seconds to wait for a store that is still importing torch, on a machine under load.
_PATIENCE = "read_timeout=300"


def torchrun_arguments(config: Config, endpoint: str, nodes: str = "1", run: str = "korbert") -> list[str]:
    """torchrun's options for one node's agent.

    Args:
        config: of the run; `training.workers` processes a node.
        endpoint: HOST:PORT of the store.
        nodes: how many take part: "4", or "1:4" for one that shrinks and grows.
        run: the rendezvous' name, the same on all nodes; one that has ended is not taken up again, so a later launch by
            the same store needs another.
    """
    return [
        f"--nnodes={nodes}", f"--nproc-per-node={config.training.workers}",
        f"--max-restarts={config.training.max_restarts}", "--monitor-interval=0.2", "--rdzv-backend=c10d",
        f"--rdzv-endpoint={endpoint}", f"--rdzv-id={run}", f"--rdzv-conf={','.join((*_RENDEZVOUS, _PATIENCE))}",
    ]  # fmt: skip


def environment(config: Config) -> dict[str, str]:
    """Variables that every agent needs, on every node."""
    return {
        # Otherwise the first recovery after a lost worker fails: its rendezvous finds the old one's keys.
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": str(math.ceil(config.training.grace_seconds)),
        "OMP_NUM_THREADS": str(config.training.threads),
        "PYTHONUNBUFFERED": "1",
    }


class LocalAgent:
    """One launch on this machine alone: a store, torchrun, and where they log."""

    def __init__(self, config: Config, workspace: Workspace, logs: Path, progress: Path) -> None:
        """Starts both; `logs` becomes a folder that no other launch uses."""
        logs.mkdir(parents=True)
        self.logs, self.log = logs, logs / "torchrun.log"
        with (logs / "store.log").open("w") as output:
            self.store: LocalStore = local_store(output)
        with self.log.open("w") as output:
            self.process = _started(command(config, workspace, self.store.endpoint, logs), config, progress, output)
        self._stopped, self.store_lost = False, False
        """store_lost: whether the store was lost before anyone asked for the end."""
        self._alone: float | None = None
        self._patience = config.training.grace_seconds

    def ended(self) -> bool:
        """Whether torchrun has ended. One that has lost its store ends by itself, or is told to after the grace."""
        if self.store.lost and not self._stopped:
            self.store_lost = True
            self._alone = self._alone or time.monotonic()
            # Not at once: a signal in the midst of its leaving would cut short the workers' last save.
            if time.monotonic() - self._alone > self._patience:
                self.stop()
        return self.process.poll() is not None

    def stop(self) -> None:
        """Asks for the end, once: a second SIGTERM would end torchrun's own waiting for the workers."""
        if not self._stopped:
            self._stopped = True
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends what is left of it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.store.end()


def command(config: Config, workspace: Workspace, endpoint: str, logs: Path) -> list[str]:
    """The command line of torchrun for workers on this machine."""
    return [
        sys.executable, "-m", "torch.distributed.run",
        *torchrun_arguments(config, endpoint, run=uuid.uuid4().hex),
        "--local-addr=127.0.0.1", f"--log-dir={logs}", "--redirects=3",
        "-m", "korbert.training", "--workspace", str(workspace.root),
    ]  # fmt: skip


def next_logs(folder: Path) -> Path:
    """The folder for the next launch's logs: `launch-1`, `launch-2` and so on."""
    taken = [int(path.name.removeprefix("launch-")) for path in folder.glob("launch-*")]
    return folder / f"launch-{max(taken, default=0) + 1}"


def _started(arguments: list[str], config: Config, progress: Path, output: IO[str]) -> subprocess.Popen[bytes]:
    # Loopback is there on every Linux, whatever the machine's name resolves to.
    own = {**environment(config), PROGRESS_VARIABLE: str(progress)}
    return subprocess.Popen(
        arguments,
        env={"GLOO_SOCKET_IFNAME": "lo", **os.environ, **own},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        # A session of its own: Ctrl-C reaches us alone, and we pass it on once.
        start_new_session=True,
        preexec_fn=dies_with_parent,
    )
