"""Manifests: equal to the tree that `kubectl apply -k` takes, and refused where an operator would fail later."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from korbert.errors import UsageError
from korbert.launch.manifests import SweepJob, TrainingJob, pytorchjob, rayjob
from korbert.launch.pods import Claim, Gate, Pod

TREE = Path(__file__).parents[2] / "k8s/base"
DATA = (Claim("korbert-data", "/data"),)
TRAINER = Pod(
    image="korbert-train-gpu",
    command=("torchrun", "-m", "korbert.training", "--workspace", "/data/run"),
    claims=DATA,
    cpu="4",
    memory="16Gi",
    service_account="korbert-pretrain",
    shared_memory="8Gi",
    gate=Gate("tokens", "/data/run", "7d"),
)
TRAINING = TrainingJob(
    name="korbert-pretrain", pod=TRAINER, workers=2, elastic=(1, 4), max_restarts=100, backoff_limit=100
)  # fmt: skip
TRIAL = Pod(
    image="korbert-tune",
    command=("python", "-m", "tune", "--workspace", "/data/run", "--address", "auto"),
    claims=DATA,
    cpu="2",
    memory="8Gi",
    service_account="korbert-trials",
    shared_memory="4Gi",
    annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "8080"},
)
HEAD = replace(
    TRIAL,
    service_account="korbert-tune",
    gate=Gate("export", "/data/run", "30d"),
    ports={"gcs-server": 6379, "dashboard": 8265, "client": 10001, "metrics": 8080},
    labels={"korbert/api": "client"},
    api_token=True,
)
SWEEP = SweepJob(
    name="korbert-tune",
    head=HEAD,
    worker=TRIAL,
    submitter=replace(TRIAL, cpu="100m", memory="512Mi", shared_memory="", annotations={}),
    ray_version="2.60.0",
    workers=(0, 8),
    start_seconds=2592000,
)
KUSTOMIZE = {"app.kubernetes.io/managed-by": "kustomize"}


def _of_tree(path: str) -> Any:
    file = TREE / path
    if not file.is_file():
        pytest.skip(f"no {path} in this tree")
    return _unkeyed(yaml.safe_load(file.read_text()))


def _unkeyed(value: Any) -> Any:
    value = copy.deepcopy(value)
    value["metadata"].pop("namespace", None)  # kustomize sets it
    return _sorted(value)


def _sorted(value: Any) -> Any:
    """Lists of things with names by name: their order says nothing."""
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=_name) if all(isinstance(v, dict) for v in value) else value
    return value


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("name") or entry)


def test_the_training_job_of_the_tree_is_what_the_builder_makes() -> None:
    assert _unkeyed(pytorchjob(replace(TRAINING, labels=KUSTOMIZE))) == _of_tree("pretrain/pytorchjob.yaml")


def test_the_sweep_of_the_tree_is_what_the_builder_makes() -> None:
    assert _unkeyed(rayjob(replace(SWEEP, labels=KUSTOMIZE))) == _of_tree("scores/rayjob.yaml")


def test_a_fixed_single_pod_has_no_elastic_policy() -> None:
    assert "elasticPolicy" not in pytorchjob(replace(TRAINING, workers=1, elastic=None))["spec"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"elastic": (3, 2)}, "elastic 3:2 with 2 workers: must be 1 <= fewest <= workers <= most"),
        ({"elastic": (0, 2)}, "elastic 0:2"),
        ({"workers": 5}, "elastic 1:4 with 5 workers"),
        ({"processes": 0}, "processes: is 0, must be at least 1"),
        ({"restart_policy": "Sometimes"}, "restart_policy: is 'Sometimes', must be one of OnFailure, Never, Always"),
        ({"restart_policy": "ExitCode"}, "restart_policy: is 'ExitCode'"),
        ({"clean_pods": "Some"}, "clean_pods: is 'Some'"),
        ({"backoff_limit": -1}, "backoff_limit: is -1"),
        ({"name": "Korbert_1"}, "name 'Korbert_1': must be small letters"),
        ({"name": "1run"}, "begin with a letter"),
        ({"name": "a" * 55}, "has 55 characters, may have 54"),
        ({"name": "a" * 54, "elastic": (1, 11)}, "has 54 characters, may have 53"),
    ],
    ids=[
        "order",
        "none",
        "workers",
        "processes",
        "policy",
        "exit-code",
        "clean",
        "backoff",
        "letters",
        "digit",
        "long",
        "long-for-eleven",
    ],
)
def test_a_training_that_would_fail_later_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        replace(TRAINING, **change)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"workers": (2, 1)}, "workers 2:1: must be"),
        ({"workers": (0, 0)}, "workers 0:0: must be"),
        ({"name": "a" * 48}, "has 48 characters, may have 47"),
        ({"ttl_seconds": -1}, "ttl_seconds: is -1"),
    ],
    ids=["workers-order", "workers-none", "name", "ttl"],
)
def test_a_sweep_that_would_fail_later_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        replace(SWEEP, **change)
    assert said in str(caught.value)


def test_no_command_says_where_to_meet() -> None:
    for manifest in (pytorchjob(TRAINING), rayjob(SWEEP)):
        assert not any(word in str(manifest) for word in ("--nnodes", "--rdzv"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": ""}, "both must be given"),
        ({"devices": {"nvidia.com/gpu": 0}}, "devices nvidia.com/gpu: is 0"),
        ({"claims": (Claim("a", "/data"), Claim("b", "/data"))}, "two are mounted at one path"),
        ({"claims": (Claim("a", "data"),)}, "must begin with '/'"),
        ({"service_account": "Mine"}, "service account 'Mine'"),
    ],
    ids=["image", "devices", "twice", "relative", "account"],
)
def test_a_pod_that_no_kubelet_would_start_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace(".", r"\.")):
        replace(TRAINER, **change)
