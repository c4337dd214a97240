"""A sweep's own Ray is locked, what it cannot do here is said in one line, and the environment stays as it was."""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import ray

from korbert.errors import UsageError, WorldError
from tune.session import Cluster, session


def test_a_dashboard_without_its_packages_is_refused_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "ray.dashboard.optional_deps", raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp_cors", None)
    with (
        pytest.raises(WorldError, match=r"--dashboard: aiohttp_cors is missing; run: pip install 'ray\[default\]'"),
        session(Cluster(dashboard=True), cpus=1, gpus=0, data_bytes=0),
    ):
        pass


def test_the_dashboard_answers_who_has_the_printed_token_and_nobody_else(capfd: pytest.CaptureFixture[str]) -> None:
    def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            return int(urllib.request.urlopen(urllib.request.Request(f"{url}/api/version", headers=headers)).status)
        except urllib.error.HTTPError as error:
            return error.code

    with session(Cluster(dashboard=True), cpus=1, gpus=0, data_bytes=0):
        (line,) = (line for line in capfd.readouterr().err.splitlines() if line.startswith("dashboard: "))
        _, url, _, token = line.split()
        assert [status(given) for given in ("", "0" * 64, token)] == [401, 403, 200]
        with urllib.request.urlopen(url) as page:
            assert b"<title>Ray Dashboard</title>" in page.read()


def test_a_ray_of_the_sweep_s_own_is_locked_and_writes_no_token_into_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    before = dict(os.environ)
    tokens = []
    for _ in range(2):  # one after another in one process: each with its own token
        with session(Cluster(), cpus=1, gpus=0, data_bytes=0):
            assert os.environ["RAY_AUTH_MODE"] == "token"
            tokens.append(os.environ["RAY_AUTH_TOKEN"])
            assert ray.get(ray.remote(lambda: os.environ["RAY_AUTH_TOKEN"]).remote()) == tokens[-1]
    assert len(set(tokens)) == 2
    assert not (tmp_path / ".ray").exists()
    assert dict(os.environ) == before


def test_a_dashboard_is_of_a_ray_of_the_sweep_s_own() -> None:
    with pytest.raises(UsageError, match="--dashboard: is for a Ray of the sweep's own"):
        Cluster("auto", dashboard=True)


def test_a_share_of_a_gpu_is_refused_where_ray_has_none() -> None:
    before = dict(os.environ)
    with (
        pytest.raises(UsageError, match="tune.gpus_per_trial = 4096: this Ray has no GPU"),
        session(Cluster(), cpus=1, gpus=4096, data_bytes=0),
    ):
        pass
    assert dict(os.environ) == before
