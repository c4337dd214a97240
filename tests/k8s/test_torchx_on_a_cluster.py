"""torchx on a real cluster: submitted, seen, listed, its log followed to the end, cancelled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .real import KUBECONFIG, image, kubectl, only_with_a_cluster, until

pytestmark = [only_with_a_cluster, pytest.mark.timeout(0)]
ROOT = Path(__file__).parents[2]


def torchx(*words: str) -> str:
    start = "import sys; from torchx.cli.main import main; main(sys.argv[1:])"
    answer = subprocess.run(
        [sys.executable, "-c", start, *words],
        cwd=ROOT, env={**os.environ, "KUBECONFIG": KUBECONFIG}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def submitted(script: str) -> str:
    box = image("korbert-train-gpu")
    words = ["utils.sh", "--image", box, "--cpu", "1", "--memMB", "256", "sh", "-c", script]
    (handle,) = (w for w in torchx("run", "-s", "kubeflow", *words).split() if w.startswith("kubeflow://"))
    return handle


def job(handle: str) -> str:
    return handle.rpartition(":")[2]


@pytest.fixture
def handles() -> Iterator[list[str]]:
    """What a test submitted; none of it stays."""
    found: list[str] = []
    yield found
    for handle in found:
        kubectl("delete", "pytorchjob", job(handle), "--ignore-not-found")


def test_a_job_is_submitted_seen_listed_and_its_log_followed_to_the_end(handles: list[str]) -> None:
    handle = submitted("for i in 1 2 3 4 5 6; do echo line $i; sleep 2; done")
    handles.append(handle)
    assert job(handle) in torchx("list", "-s", "kubeflow")
    until("it has begun", lambda: "RUNNING" in torchx("status", handle) or "SUCCEEDED" in torchx("status", handle), 10)
    followed = torchx("log", "-t", handle)
    assert [line.split()[-1] for line in followed.splitlines() if "line" in line] == list("123456")
    until("it has succeeded", lambda: "SUCCEEDED" in torchx("status", handle), 5)


def test_a_cancelled_job_and_its_pods_are_gone(handles: list[str]) -> None:
    handle = submitted("sleep 3600")
    handles.append(handle)
    pods = ("get", "pods", "-l", f"training.kubeflow.org/job-name={job(handle)}", "-o", "name")
    until("its pod is there", lambda: kubectl(*pods).stdout != "", 10)
    torchx("cancel", handle)
    until("all is gone", lambda: kubectl(*pods).stdout == "" and job(handle) not in torchx("list", "-s", "kubeflow"), 5)
