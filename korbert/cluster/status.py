"""How far the stages are: a row for each object of the namespace, in the order in which text flows through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from korbert.cluster.access import Api, Denied
from korbert.cluster.needs import NAMESPACE
from korbert.errors import WorldError

_ORDER = (
    "korbert-data", "korbert-credentials", "korbert-postgres", "korbert-backup", "korbert-ingest", "korbert-crawl",
    "korbert-backfill", "korbert-corpus", "korbert-tokenizer", "korbert-encode", "korbert-pretrain", "korbert-export",
    "korbert-finetune", "korbert-tune",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One object."""

    kind: str
    name: str
    state: str
    progress: str
    note: str = ""


def rows(api: Api) -> list[Row]:
    """The namespace's volumes, database, stages, and the pods that are in trouble.

    Raises:
        WorldError: when the cluster cannot be reached, or shows nothing to this account.
    """
    found: list[Row] = []
    denied = 0
    for path, read in _KINDS:
        try:
            found += [row for item in api.items(path) if (row := read(item))]
        except Denied:
            denied += 1
            found.append(Row(path.rpartition("/")[2], "", "unknown", "", "this account may not list them"))
    if denied == len(_KINDS):
        raise WorldError(f"namespace {NAMESPACE}: this account may not list anything there; ask for the role view")
    return sorted(found, key=_place)


def _place(row: Row) -> tuple[int, str, str]:
    # Longest first: a name's place is that of the stage it begins with.
    places = [n for n, name in enumerate(_ORDER) if row.name.startswith(name)]
    return (places[-1] if places else len(_ORDER), row.name, row.kind)


def _claim(item: dict[str, Any]) -> Row:
    status = item.get("status", {})
    return Row("PVC", _name(item), status.get("phase", ""), status.get("capacity", {}).get("storage", ""))


def _stateful_set(item: dict[str, Any]) -> Row:
    ready, wanted = item.get("status", {}).get("readyReplicas", 0), item["spec"].get("replicas", 1)
    return Row("StatefulSet", _name(item), "Ready" if ready >= wanted else "Starting", f"{ready}/{wanted} ready")


def _cron_job(item: dict[str, Any]) -> Row:
    status = item.get("status", {})
    state = "Suspended" if item["spec"].get("suspend") else "Running" if status.get("active") else "Scheduled"
    last, success = status.get("lastScheduleTime", "never"), status.get("lastSuccessfulTime", "never")
    return Row("CronJob", _name(item), state, f"last run {last}", f"last success {success}")


def _job(item: dict[str, Any]) -> Row | None:
    if any(owner["kind"] in ("CronJob", "RayJob") for owner in item["metadata"].get("ownerReferences", [])):
        return None  # its owner has a row
    status, spec = item.get("status", {}), item["spec"]
    state, note = _condition(status) or ("Running" if status.get("active") else "Waiting", "")
    wanted = spec.get("completions") or spec.get("parallelism") or 1
    failed = f", {status['failed']} failed" if status.get("failed") else ""
    return Row("Job", _name(item), state, f"{status.get('succeeded', 0)}/{wanted} done{failed}", note)


def _pytorch_job(item: dict[str, Any]) -> Row:
    status = item.get("status", {})
    state, note = _condition(status) or ("Waiting", "")
    workers = status.get("replicaStatuses", {}).get("Worker", {})
    wanted = item["spec"]["pytorchReplicaSpecs"].get("Worker", {}).get("replicas", 1)
    return Row("PyTorchJob", _name(item), state, f"{workers.get('active', 0)}/{wanted} workers", note)


def _ray_job(item: dict[str, Any]) -> Row:
    status = item.get("status", {})
    state = status.get("jobStatus") or status.get("jobDeploymentStatus") or "Waiting"
    return Row("RayJob", _name(item), state, status.get("jobDeploymentStatus", ""), status.get("message", ""))


def _pod(item: dict[str, Any]) -> Row | None:
    """Only a pod that cannot go on by itself: the others are counted by their owners."""
    status = item.get("status", {})
    states = status.get("initContainerStatuses", []) + status.get("containerStatuses", [])
    for state in states:
        waiting = state.get("state", {}).get("waiting", {})
        if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            return Row("Pod", _name(item), waiting["reason"], state["name"], waiting.get("message", ""))
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return Row("Pod", _name(item), condition.get("reason", ""), "", condition.get("message", ""))
    return None


def _condition(status: dict[str, Any]) -> tuple[str, str] | None:
    """The newest condition that holds, and why."""
    holding = [c for c in status.get("conditions", []) if c["status"] == "True"]
    if not holding:
        return None
    return holding[-1]["type"], holding[-1].get("message", "")


def _name(item: dict[str, Any]) -> str:
    return str(item["metadata"]["name"])


_KINDS: tuple[tuple[str, Callable[[dict[str, Any]], Row | None]], ...] = (
    (f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims", _claim),
    (f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets", _stateful_set),
    (f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs", _cron_job),
    (f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs", _job),
    (f"/apis/kubeflow.org/v1/namespaces/{NAMESPACE}/pytorchjobs", _pytorch_job),
    (f"/apis/ray.io/v1/namespaces/{NAMESPACE}/rayjobs", _ray_job),
    (f"/api/v1/namespaces/{NAMESPACE}/pods", _pod),
)
