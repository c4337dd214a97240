"""A sweep whose state lies in an object store goes on from there, and tells each judgement once."""

import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from wandb.proto import wandb_internal_pb2

from korbert import storage
from tune.__main__ import main

from .conftest import Killed

HEADER, BLOCK = 7, 32_768
SERVER = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").disabled = True
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
sys.stdin.read()
"""
"""Serves S3 until its standard input ends, as it does when the test's process is killed."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket's URL on a local server that speaks S3; child processes reach it too."""
    s3fs = pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    # A process of its own: the sweep's megabytes would hold up the test's questions, and both the sweep.
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    told = {"ENDPOINT_URL": server.stdout.readline().strip(), "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}
    for name, value in (told | {"DEFAULT_REGION": "us-east-1"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem(use_listings_cache=False).mkdir("sweeps")
    yield "s3://sweeps/of/mine"
    server.terminate()
    server.wait()


def logged(path: Path) -> Iterator[tuple[str, str, str]]:
    """(group, run, epoch) of each line that a wandb file holds: blocks of records (CRC, length, kind), as LevelDB's."""
    content, place, part, group, run = path.read_bytes(), HEADER, b"", "", ""
    while place + HEADER <= len(content):
        if BLOCK - place % BLOCK < HEADER:
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + HEADER])
        place += HEADER + length
        part += content[place - length : place]
        if kind not in (1, 4):  # whole, or the last of several
            continue
        record = wandb_internal_pb2.Record.FromString(part)
        part = b""
        if record.WhichOneof("record_type") == "run":
            group, run = record.run.run_group, record.run.run_id
        if record.WhichOneof("record_type") == "history":
            values = {item.key or item.nested_key[0]: item.value_json for item in record.history.item}
            yield group, run, values["epoch"]


@pytest.mark.timeout(900)  # two drivers and their Rays, one after another
def test_a_killed_sweep_goes_on_from_an_object_store_and_logs_no_judgement_twice(
    bucket: str, encoder: Path, tmp_path: Path, killed: Killed
) -> None:
    output = tmp_path / "out"
    texts = (
        "finetune.max_tokens=32", "tune.train_limit=0", "tune.validation_limit=0", "tune.epochs=2", "tune.concurrent=1",
        "tune.finalists=0", f"tune.storage={bucket}", "tracking.mode=offline",
    )  # fmt: skip
    settings = [part for text in texts for part in ("--set", text)]
    arguments = ["nsmc", "--model", str(encoder), "--trials", "2", "--output", str(output), *settings]
    system, _ = fsspec.core.url_to_fs(bucket)

    def states(ending: str) -> list[str]:
        system.invalidate_cache()
        return [str(path) for path in system.find(bucket) if "/states/" in path and path.endswith(ending)]

    killed(arguments, lambda: len(states(".json")) >= 1)
    before = {path: system.cat_file(path) for path in states(".json")}
    resumed = time.time()
    assert main([*arguments, "--resume"]) == 0
    assert {path: system.cat_file(path) for path in before} == before
    assert not states(".pt")
    assert not (output / "ray").exists()
    trials = storage.read_json(output / "trials.json")
    assert len(trials) == len(states(".json")) == 2

    lines = [line for path in (output / "wandb").glob("offline-run-*/*.wandb") for line in logged(path)]
    assert len({group for group, _, _ in lines}) == 1
    assert len(lines) == len(set(lines))
    told = {(run.rpartition("-")[2], float(epoch)) for _, run, epoch in lines}
    epochs = [(trial["key"], epoch) for trial in trials for epoch in trial["epochs"]]
    assert told <= {(key, float(epoch["epoch"])) for key, epoch in epochs}
    # What wandb's own process had not written yet is lost with the driver: once at most, not once at least.
    assert told >= {(key, float(epoch["epoch"])) for key, epoch in epochs if epoch["began"] >= resumed}
