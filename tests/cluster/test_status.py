"""`korbert cluster status` against a local API server: one row an object, in the order of the stages."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .api_server import NAMED, Cluster

JOBS = "/apis/batch/v1/namespaces/korbert/jobs"
CRONS = "/apis/batch/v1/namespaces/korbert/cronjobs"
SETS = "/apis/apps/v1/namespaces/korbert/statefulsets"
PYTORCH = "/apis/kubeflow.org/v1/namespaces/korbert/pytorchjobs"
RAY = "/apis/ray.io/v1/namespaces/korbert/rayjobs"


def _named(name: str, **rest: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {}, **rest}


@pytest.fixture(autouse=True)
def _half_way(cluster: Cluster) -> None:
    """A run whose corpus is done, whose training goes on and whose export waits."""
    bound = {"phase": "Bound", "capacity": {"storage": "100Gi"}}
    cluster.put(f"{NAMED}/persistentvolumeclaims", _named("korbert-data", status=bound))
    cluster.put(SETS, _named("korbert-postgres", status={"readyReplicas": 1}))
    cluster.put(CRONS, _named("korbert-crawl", status={"lastScheduleTime": "2026-11-22T06:00:00Z"}))
    complete = {"type": "Complete", "status": "True"}
    child = _named("korbert-crawl-29", status={"active": 1})
    child["metadata"]["ownerReferences"] = [{"kind": "CronJob", "name": "korbert-crawl"}]
    export = _named("korbert-export", status={"active": 1})
    corpus = _named("korbert-corpus", status={"succeeded": 1, "failed": 1, "conditions": [complete]})
    backfill = {**_named("korbert-backfill", status={"succeeded": 3, "active": 2}), "spec": {"completions": 8}}
    cluster.put(JOBS, export, corpus, child, backfill)
    running = [{"type": "Created", "status": "True"}, {"type": "Running", "status": "True", "message": "is running"}]
    status = {"conditions": running, "replicaStatuses": {"Worker": {"active": 3}}}
    pretrain = {**_named("korbert-pretrain", status=status)}
    pretrain["spec"] = {"pytorchReplicaSpecs": {"Worker": {"replicas": 4}}}
    cluster.put(PYTORCH, pretrain)
    cluster.put(RAY, _named("korbert-tune", status={"jobDeploymentStatus": "Initializing"}))


def test_stages_stand_in_the_order_of_the_chain_with_their_progress(korbert: Callable[..., Any]) -> None:
    done = korbert("status", "--json")
    assert [(row["kind"], row["name"], row["state"], row["progress"]) for row in json.loads(done.out)] == [
        ("PVC", "korbert-data", "Bound", "100Gi"),
        ("StatefulSet", "korbert-postgres", "Ready", "1/1 ready"),
        ("CronJob", "korbert-crawl", "Scheduled", "last run 2026-11-22T06:00:00Z"),
        ("Job", "korbert-backfill", "Running", "3/8 done"),
        ("Job", "korbert-corpus", "Complete", "1/1 done, 1 failed"),
        ("PyTorchJob", "korbert-pretrain", "Running", "3/4 workers"),
        ("Job", "korbert-export", "Running", "0/1 done"),
        ("RayJob", "korbert-tune", "Initializing", "Initializing"),
    ]


def test_the_table_has_a_heading_and_a_line_an_object(korbert: Callable[..., Any]) -> None:
    lines = korbert("status").out.splitlines()
    assert lines[0].split() == ["kind", "name", "state", "progress", "note"]
    assert len(lines) == 9


def test_only_pods_in_trouble_are_shown_and_why(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    pulling = {"name": "pytorch", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    starting = {"name": "pytorch", "state": {"waiting": {"reason": "ContainerCreating"}}}
    unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes fit"}
    cluster.put(
        f"{NAMED}/pods",
        _named("korbert-pretrain-worker-0", status={"containerStatuses": [pulling]}),
        _named("korbert-pretrain-worker-1", status={"conditions": [unplaced]}),
        _named("korbert-pretrain-worker-2", status={"containerStatuses": [starting]}),
    )
    pods = [row for row in json.loads(korbert("status", "--json").out) if row["kind"] == "Pod"]
    assert [(row["state"], row["note"]) for row in pods] == [
        ("ImagePullBackOff", "no such image"),
        ("Unschedulable", "0/3 nodes fit"),
    ]


def test_kinds_that_the_cluster_does_not_know_have_no_rows(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    del cluster.objects[PYTORCH], cluster.objects[RAY]
    done = korbert("status")
    assert done.code == 0
    assert "korbert-pretrain" not in done.out


def test_an_empty_namespace_says_what_to_do(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    cluster.objects.clear()
    assert "holds nothing; apply an overlay first" in korbert("status").out


def test_a_kind_that_may_not_be_listed_is_said_and_all_of_them_is_an_error(
    cluster: Cluster, korbert: Callable[..., Any]
) -> None:
    cluster.forbidden = {PYTORCH}
    assert "this account may not list them" in korbert("status").out
    listed = [f"{NAMED}/persistentvolumeclaims", f"{NAMED}/pods", SETS, CRONS, JOBS, PYTORCH, RAY]
    cluster.forbidden = set(listed)
    done = korbert("status")
    assert done.code == 1
    assert "ask for the role view" in done.err


def test_watch_prints_again_until_it_is_ended(korbert: Callable[..., Any]) -> None:
    # `korbert` serves the cluster and has set KUBECONFIG.
    command = [sys.executable, "-m", "korbert", "cluster", "status", "--watch", "0.1s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None
        headings = 0
        for line in process.stdout:
            headings += line.startswith("kind")
            if headings == 2:
                process.terminate()
                break
        assert process.wait(timeout=120) == 143
