"""What a PyTorchJob's status and its pods mean to torchx."""

from __future__ import annotations

from typing import Any

from torchx.specs import AppState, ReplicaStatus, RoleStatus

from korbert.launch.connection import INDEX_LABEL

_CONDITIONS = {
    "Created": AppState.PENDING,
    "Restarting": AppState.PENDING,
    "Suspended": AppState.PENDING,
    "Running": AppState.RUNNING,
    "Succeeded": AppState.SUCCEEDED,
    "Failed": AppState.FAILED,
}
_PHASES = {
    "Pending": AppState.PENDING,
    "Running": AppState.RUNNING,
    "Succeeded": AppState.SUCCEEDED,
    "Failed": AppState.FAILED,
}
_UNPULLED = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")


def state(job: dict[str, Any]) -> AppState:
    """By the newest condition that holds; SUBMITTED before the operator has seen the job."""
    condition = _condition(job)
    return _CONDITIONS.get(condition.get("type", ""), AppState.UNKNOWN) if condition else AppState.SUBMITTED


def message(job: dict[str, Any], pods: list[Any]) -> str:
    """What stands in the way of a pod, or the operator's words."""
    if job["metadata"].get("deletionTimestamp"):
        return "is being cancelled: its pods save what they have and end"
    for pod in pods:
        if trouble := _trouble(pod):
            return trouble
    return str((_condition(job) or {}).get("message", ""))


def restarts(pods: list[Any]) -> int:
    """Of all containers."""
    return sum(status.restart_count for pod in pods for status in pod.status.container_statuses or [])


def statuses(role: str, pods: list[Any]) -> RoleStatus:
    """Each pod as a replica."""
    return RoleStatus(
        role=role,
        replicas=[
            ReplicaStatus(
                id=int(pod.metadata.labels[INDEX_LABEL]),
                state=_PHASES.get(pod.status.phase, AppState.UNKNOWN),
                role=role,
                hostname=pod.metadata.name,
            )
            for pod in pods
        ],
    )


def _condition(job: dict[str, Any]) -> dict[str, Any] | None:
    holding = [c for c in job.get("status", {}).get("conditions") or [] if c.get("status") == "True"]
    # The operator sets earlier conditions to False when a job ends, but leaves Created; the list is by time.
    return holding[-1] if holding else None


def _trouble(pod: Any) -> str:
    for status in pod.status.container_statuses or []:
        waiting = status.state.waiting if status.state else None
        if waiting and waiting.reason in _UNPULLED:
            why = " ".join((waiting.message or waiting.reason).split())
            return (
                f"pod {pod.metadata.name}: image {status.image} cannot be pulled ({why}); "
                "check its name, and that the service account may pull it"
            )
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            why = " ".join((condition.message or condition.reason or "").split())
            return f"pod {pod.metadata.name}: no node takes it ({why}); ask for less, or add nodes"
    return ""
