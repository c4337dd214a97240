"""What is said when the cluster cannot be used: one line, and what to do."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .api_server import Cluster, kubeconfig, serving
from .conftest import run


@pytest.fixture(autouse=True)
def _outside_of_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


@pytest.mark.parametrize("action", ["check", "status"])
def test_no_kubeconfig_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    done = run(action)
    assert done.code == 2
    assert done.err.startswith("korbert: KUBECONFIG: Invalid kube-config file")
    assert done.err.count("\n") == 1


def test_a_context_that_is_not_there_is_named(korbert: Callable[..., Any]) -> None:
    done = korbert("check", "--context", "produktion")
    assert done.code == 2
    assert "--context produktion: " in done.err
    assert "kubectl config get-contexts" in done.err


def test_a_cluster_that_does_not_answer_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, url)))
    done = run("check")
    assert done.code == 1
    assert done.err.startswith(f"korbert: cluster {url}: cannot be reached (")
    assert done.err.count("\n") == 1


def test_credentials_that_the_server_refuses_are_said_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Cluster()) as url:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, url, token="geheim")))
        done = run("status")
    assert done.code == 1
    assert done.err == f"korbert: cluster {url}: does not take these credentials; log in again\n"
