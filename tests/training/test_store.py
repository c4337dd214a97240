"""The rendezvous' store as a process of its own."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from torch.distributed import TCPStore

from korbert.errors import WorldError
from korbert.training.store import listening, local_store, main

PATIENCE = timedelta(seconds=240)


def _client(endpoint: str) -> TCPStore:
    host, port = endpoint.rsplit(":", 1)
    return TCPStore(host, int(port), is_master=False, wait_for_workers=False, timeout=PATIENCE)


@contextmanager
def _served(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "korbert.training.store", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_prints_its_address_serves_and_ends_by_sigterm() -> None:
    with _served("--host", "127.0.0.1", "--port", "0") as process:
        assert process.stdout is not None
        endpoint = process.stdout.readline().strip()
        assert re.fullmatch(r"127\.0\.0\.1:\d+", endpoint)
        one, other = _client(endpoint), _client(endpoint)
        one.set("key", "value")
        assert other.get("key") == b"value"
        process.terminate()
        assert process.wait(60) == 0


def test_who_comes_while_it_still_starts_is_kept_waiting(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        store = local_store(log)
    try:
        client = _client(store.endpoint)
        client.set("key", "value")
        assert client.get("key") == b"value"
        assert not store.lost
    finally:
        store.end()
    assert store.lost


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys, time; from korbert.training.store import local_store; "
        "print(local_store(open(sys.argv[1], 'w')).process.pid, flush=True); time.sleep(600)"
    )
    parent = [sys.executable, "-c", code, str(tmp_path / "log")]
    with subprocess.Popen(parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        os.kill(child, 0)
        ended = os.pidfd_open(child)
        process.kill()
    assert select.select([ended], [], [], 120)[0] == [ended]
    os.close(ended)


def test_a_taken_port_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with listening("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            with pytest.raises(WorldError, match=rf"127\.0\.0\.1:{port}: Address already in use; choose another"):
                listening("127.0.0.1", port)
            assert main(["--host", "127.0.0.1", "--port", str(port)]) == 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "choose another --port" in told
