"""`korbert cluster check` against a local API server: what is lacking is named, with what to do."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from korbert.cluster.needs import OVERLAYS, RIGHTS

from .api_server import KEYS, NAMED, Cluster, deployment, node, storage_class


def _lines(done: Any, subject: str) -> list[str]:
    return [line for line in done.out.splitlines() if line[9:].startswith(subject)]


def _line(done: Any, subject: str) -> str:
    (line,) = _lines(done, subject)
    return str(line)


def test_a_cluster_that_lacks_nothing_is_ready_and_the_next_command_is_named(korbert: Callable[..., Any]) -> None:
    done = korbert("check", "--overlay", "gpu")
    assert done.code == 0, done.out + done.err
    assert done.out.splitlines()[-1] == ("overlay gpu: nothing missing; go on with: kubectl apply -k k8s/overlays/gpu")
    assert {line.split()[0] for line in done.out.splitlines()[:-1]} == {"ok"}


@pytest.mark.parametrize(
    ("group", "subject", "kind"),
    [
        ("kubeflow.org", "training-operator", "pytorchjobs.kubeflow.org"),
        ("ray.io", "kuberay-operator", "rayjobs.ray.io, rayclusters.ray.io"),
    ],
)
def test_a_missing_operator_is_named_with_the_command_that_installs_it(
    cluster: Cluster, korbert: Callable[..., Any], group: str, subject: str, kind: str
) -> None:
    del cluster.objects[f"/apis/{group}/v1"]
    done = korbert("check")
    assert done.code == 1
    line = _line(done, subject)
    assert line.startswith("missing")
    assert f"no CRD {kind} with version v1; run: kubectl apply --server-side -k k8s/operators" in line


def test_crds_without_an_operator_are_missing_an_operator(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    cluster.put("/apis/apps/v1/deployments", deployment("quay.example/kuberay/operator:v1.7.0"))
    done = korbert("check")
    assert done.code == 1
    assert "no Deployment runs the operator" in _line(done, "training-operator")
    assert _line(done, "kuberay-operator").startswith("ok")


def test_an_operator_without_a_ready_pod_is_missing(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    images = ("docker.example/kubeflow/training-operator:v1.9.4", "quay.example/kuberay/operator:v1.7.0")
    cluster.put("/apis/apps/v1/deployments", deployment(images[0], ready=0), deployment(images[1]))
    done = korbert("check")
    assert done.code == 1
    assert "no pod of its Deployment is ready; see why: kubectl get pods" in _line(done, "training-operator")


def test_the_tag_of_the_operators_own_manifests_is_its_release(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    images = ("ghcr.example/kubeflow/training-v1/training-operator:v1-93c5489", "quay.example/kuberay/operator:v1.7.0")
    cluster.put("/apis/apps/v1/deployments", *map(deployment, images))
    assert _line(korbert("check"), "training-operator").startswith("ok")


def test_another_operator_version_is_a_warning_that_names_both(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    images = ("docker.example/kubeflow/training-operator:v1.7.0", "quay.example/kuberay/operator:v1.7.0")
    cluster.put("/apis/apps/v1/deployments", *map(deployment, images))
    done = korbert("check")
    assert done.code == 0
    assert "runs v1.7.0, tested with v1.9.4" in _line(done, "training-operator")


def test_an_old_kubernetes_is_refused(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    cluster.objects["/version"] = {"major": "1", "minor": "29"}
    done = korbert("check")
    assert done.code == 1
    assert "Kubernetes 1.29; checked against 1.32 to 1.37; upgrade the cluster" in _line(done, "kubernetes")


def test_without_a_class_for_many_writers_there_is_no_shared_storage(
    cluster: Cluster, korbert: Callable[..., Any]
) -> None:
    cluster.put("/apis/storage.k8s.io/v1/storageclasses", storage_class("fast", "pd.csi.storage.gke.io", default=True))
    done = korbert("check")
    assert done.code == 1
    assert "no class known for ReadWriteMany; there is: fast (pd.csi.storage.gke.io)" in _line(done, "storage")
    assert korbert("check", "--overlay", "local").code == 0


def test_a_bound_claim_needs_no_class(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    cluster.put("/apis/storage.k8s.io/v1/storageclasses")
    cluster.objects[f"{NAMED}/persistentvolumeclaims/korbert-data"] = {"status": {"phase": "Bound"}}
    assert _line(korbert("check"), "storage").startswith("ok")


def test_a_shared_class_that_is_not_the_default_must_be_named(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    cluster.put("/apis/storage.k8s.io/v1/storageclasses", storage_class("slow", "rook-ceph.cephfs.csi.ceph.com"))
    line = _line(korbert("check"), "storage")
    assert line.startswith("ok")
    assert "slow; name one as storageClassName of claim korbert-data" in line


@pytest.mark.parametrize(("gpus", "state"), [(0, "missing"), (1, "warning"), (3, "warning"), (4, "ok")])
def test_gpus_are_counted_over_schedulable_nodes(
    cluster: Cluster, korbert: Callable[..., Any], gpus: int, state: str
) -> None:
    cluster.put("/api/v1/nodes", node("nvidia.com/gpu", gpus), node("nvidia.com/gpu", 8, unschedulable=True))
    line = _line(korbert("check"), "nodes")
    assert line.startswith(state)
    assert f"{gpus} nvidia.com/gpu on 1 schedulable nodes, 4 wanted" in line


def test_a_tpu_slice_is_whole_or_missing(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    cluster.put("/api/v1/nodes", *[node("google.com/tpu", 4) for _ in range(3)])
    assert _line(korbert("check", "--overlay", "tpu"), "nodes").startswith("missing")
    cluster.put("/api/v1/nodes", *[node("google.com/tpu", 4) for _ in range(4)])
    assert korbert("check", "--overlay", "tpu").code == 0


def _quota(hard: dict[str, str], used: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": "team"}, "status": {"hard": hard, "used": used}}


def test_a_quota_without_gpus_is_missing_and_one_in_use_is_a_warning(
    cluster: Cluster, korbert: Callable[..., Any]
) -> None:
    cluster.put(f"{NAMED}/resourcequotas", _quota({"requests.nvidia.com/gpu": "0"}, {}))
    done = korbert("check")
    assert done.code == 1
    assert "team: requests.nvidia.com/gpu 0 of 0 used; ask for a larger quota" in _line(done, "quota")
    cluster.put(f"{NAMED}/resourcequotas", _quota({"requests.cpu": "4", "pods": "50"}, {"requests.cpu": "4000m"}))
    done = korbert("check")
    assert done.code == 0
    assert "warning" in _line(done, "quota")
    assert "requests.cpu 4000m of 4 used" in _line(done, "quota")


def test_a_roomy_quota_is_not_in_the_way(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    cluster.put(f"{NAMED}/resourcequotas", _quota({"requests.memory": "4Ti", "pods": "50"}, {"requests.memory": "9Gi"}))
    assert _line(korbert("check"), "quota").startswith("ok")


@pytest.mark.parametrize(
    ("labels", "state"), [({}, "warning"), ({"pod-security.kubernetes.io/enforce": "baseline"}, "ok"),
                          ({"pod-security.kubernetes.io/enforce": "strict"}, "missing")],
    ids=["none", "baseline", "misspelt"],
)  # fmt: skip
def test_the_namespaces_pod_security_is_read(
    cluster: Cluster, korbert: Callable[..., Any], labels: dict[str, str], state: str
) -> None:
    cluster.objects[NAMED] = {"metadata": {"name": "korbert", "labels": labels}}
    assert _line(korbert("check"), "pod security").startswith(state)


@pytest.mark.parametrize(
    ("secret", "what"),
    [(None, "is not there"), ({"data": {"ANOTHER": "eA=="}}, "has no DATA_GO_KR_SERVICE_KEY")],
    ids=["no Secret", "another key"],
)
def test_the_key_of_the_source_is_named_with_the_command_that_brings_it(
    cluster: Cluster, korbert: Callable[..., Any], secret: dict[str, Any] | None, what: str
) -> None:
    del cluster.objects[KEYS]
    if secret:
        cluster.objects[KEYS] = secret
    done = korbert("check")
    assert done.code == 0
    line = _line(done, "source key")
    assert line.startswith("warning")
    assert f"korbert-keys {what}" in line
    assert "kubectl create secret generic korbert-keys -n korbert --from-literal=DATA_GO_KR_SERVICE_KEY=..." in line


def test_a_newsroom_of_its_own_wants_no_key(korbert: Callable[..., Any]) -> None:
    assert _lines(korbert("check", "--overlay", "local"), "source key") == []


def test_a_database_secret_of_ones_own_has_every_key_that_pods_read(
    cluster: Cluster, korbert: Callable[..., Any]
) -> None:
    cluster.objects[f"{NAMED}/secrets/korbert-postgres"] = {"data": {"POSTGRES_PASSWORD": "eA=="}}
    done = korbert("check")
    assert done.code == 1
    assert "korbert-postgres has no DATABASE_URL; add it" in _line(done, "secret")


def test_every_right_is_asked_of_the_server_and_the_withheld_ones_are_named(
    cluster: Cluster, korbert: Callable[..., Any]
) -> None:
    cluster.withheld = {"create pytorchjobs", "patch roles"}
    done = korbert("check")
    assert done.code == 1
    assert "this account may not create pytorchjobs, patch roles; ask" in _line(done, "rights")
    asked = {(r["group"], r["resource"], r["verb"]) for r in cluster.reviewed if r["namespace"] == "korbert"}
    assert asked == {(group, resource, verb) for group, resource in RIGHTS for verb in ("create", "patch")}


def test_the_right_to_make_the_namespace_is_asked_only_where_it_is_missing(
    cluster: Cluster, korbert: Callable[..., Any]
) -> None:
    cluster.withheld = {"create namespaces"}
    assert "may not create namespaces" in _line(korbert("check"), "rights")
    cluster.objects[NAMED] = {"metadata": {"name": "korbert", "labels": {}}}
    assert _line(korbert("check"), "rights").startswith("ok")


def test_what_may_not_be_looked_at_is_unknown_and_the_rest_is_still_told(
    cluster: Cluster, korbert: Callable[..., Any]
) -> None:
    cluster.forbidden = {"/api/v1/nodes", "/apis/storage.k8s.io/v1/storageclasses"}
    done = korbert("check")
    assert done.code == 0
    assert "unknown" in _line(done, "nodes")
    assert "this account may not read /api/v1/nodes" in _line(done, "nodes")
    assert _line(done, "rights").startswith("ok")


def test_json_holds_the_same_findings(cluster: Cluster, korbert: Callable[..., Any]) -> None:
    cluster.put("/api/v1/nodes")
    done = korbert("check", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["ready"], answer["overlay"]) == (1, False, "gpu")
    assert [f["subject"] for f in answer["findings"] if f["state"] == "missing"] == ["nodes"]


def test_an_unknown_overlay_is_a_usage_error(korbert: Callable[..., Any]) -> None:
    done = korbert("check", "--overlay", "aws")
    assert done.code == 2
    assert done.err == f"korbert: --overlay aws: there is no such overlay; there are: {', '.join(OVERLAYS)}\n"
