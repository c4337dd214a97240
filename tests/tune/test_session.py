"""What Ray cannot do here is said in one line, and the environment stays as it was."""

import importlib.util
import os

import pytest

from korbert.errors import UsageError, WorldError
from tune.session import Cluster, session


def test_a_dashboard_without_its_packages_is_refused_with_the_command_that_installs_them() -> None:
    if importlib.util.find_spec("aiohttp_cors") is not None:
        pytest.skip("ray[default] is installed here")
    with (
        pytest.raises(WorldError, match=r"--dashboard: \S+ is missing; run: pip install 'ray\[default\]'"),
        session(Cluster(dashboard=True), cpus=1, gpus=0, data_bytes=0),
    ):
        pass


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
