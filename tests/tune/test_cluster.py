"""A sweep on a Ray that somebody else has started: it finds it, works there, and leaves it as it was."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import korbert
from korbert import storage
from tune.__main__ import main

TOKEN = "a-token-of-a-cluster-started-by-hand"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a Ray of two CPUs, locked with TOKEN, as `ray start --head` brings it up."""
    for name, value in {"AUTH_MODE": "token", "AUTH_TOKEN": TOKEN, "USAGE_STATS_ENABLED": "0"}.items():
        monkeypatch.setenv(f"RAY_{name}", value)
    environment = os.environ | {"PYTHONPATH": str(Path(korbert.__file__).parents[1])}
    # Short: the paths of Ray's sockets have an end.
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        options = ["--num-cpus=2", "--port=0", "--include-dashboard=false", f"--temp-dir={folder}", "--block"]
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", *options]
        head = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        address = Path(folder) / "ray_current_cluster"
        try:
            while not address.is_file():
                assert head.poll() is None
                time.sleep(0.1)
            yield address.read_text().strip()
        finally:
            head.terminate()
            head.wait()


@pytest.mark.timeout(900)
def test_a_sweep_runs_on_a_cluster_that_is_there_and_leaves_it_running(
    cluster: str, encoder: Path, tmp_path: Path
) -> None:
    texts = (
        "finetune.max_tokens=32", "tune.train_limit=0", "tune.validation_limit=0", "tune.epochs=1", "tune.finalists=1",
        "tune.final_seeds=1,2", "tracking.mode=disabled",
    )  # fmt: skip
    settings = [part for text in texts for part in ("--set", text)]
    output = tmp_path / "out"
    arguments = ["nsmc", "--model", str(encoder), "--trials", "2", "--output", str(output), "--address", cluster]
    assert main([*arguments, *settings]) == 0
    trials = storage.read_json(output / "trials.json")
    assert [trial["trial"] for trial in trials] == [1, 2]
    assert os.getpid() not in {epoch["pid"] for trial in trials for epoch in trial["epochs"]}
    assert storage.read_json(output / "best.json")["seeds"] == [1, 2]
    left = "import ray, sys; ray.init(sys.argv[1], logging_level=40); print(ray.available_resources()['CPU'])"
    said = subprocess.run([sys.executable, "-c", left, cluster], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "2.0"


def test_a_cluster_that_is_not_there_is_one_line_with_the_next_step(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["nsmc", "--model", str(encoder), "--output", str(tmp_path / "out"), "--address", "127.0.0.1:9"]
    assert main(arguments) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("tune: Ray: ")
    assert "is there one at 127.0.0.1:9? If it wants a token, set RAY_AUTH_MODE=token" in said
