"""The rendezvous' store as a process of its own: `python -m korbert.training.store --port P`.

Agents and workers only connect to it, so that no one of them takes the others along when it is lost. It prints its
address, keeps a few hundred bytes a node, and ends by SIGTERM. Who can reach its port can steer the training, as with
any c10d rendezvous: keep it inside the cluster's network.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO

from korbert.errors import WorldError
from korbert.processes import dies_with_parent

_BACKLOG = 128


@dataclass(frozen=True)
class LocalStore:
    """A store on the loopback interface that ends with this process."""

    process: subprocess.Popen[bytes]
    endpoint: str
    """HOST:PORT."""

    @property
    def lost(self) -> bool:
        """Whether its process has ended."""
        return self.process.poll() is not None

    def end(self) -> None:
        """Ends it; nothing in it is needed any more."""
        self.process.kill()
        self.process.wait()


def local_store(log: IO[str]) -> LocalStore:
    """Starts a store at a free port.

    The port listens before this returns: whoever connects while the process still imports torch is kept waiting, not
    refused.
    """
    with listening("127.0.0.1", 0) as listener:
        process = subprocess.Popen(
            [sys.executable, "-m", "korbert.training.store", "--listen-fd", str(listener.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
            preexec_fn=dies_with_parent,
        )
        return LocalStore(process, f"127.0.0.1:{listener.getsockname()[1]}")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        WorldError: when the address is taken, or not this machine's.
    """
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        raise WorldError(f"store at {host}:{port}: {os.strerror(error.errno or 0)}; choose another --port") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT, which is exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m korbert.training.store", description=__doc__)
    parser.add_argument("--host", default="0.0.0.0", help="interface to listen on (all)")
    parser.add_argument("--port", type=int, default=29400, help="0: a free one")
    parser.add_argument("--listen-fd", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    # Process 1 of a container gets no signal that it has no handler for.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        _serve(socket.socket(fileno=given.listen_fd) if given.listen_fd else listening(given.host, given.port))
    except WorldError as error:
        print(error, file=sys.stderr)
    return 1


def _leave(_: int, __: FrameType | None) -> None:
    # At once: torch's server thread has no goodbye to say.
    os._exit(0)


def _serve(listener: socket.socket) -> None:
    # Torch takes seconds to import; the signals and the port come first.
    from torch._C._distributed_c10d import TCPStore

    host, port = listener.getsockname()[:2]
    store = TCPStore(
        "127.0.0.1", port, is_master=True, wait_for_workers=False, master_listen_fd=listener.fileno()
    )  # fmt: skip
    print(f"{socket.gethostname() if host == '0.0.0.0' else host}:{store.port}", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
