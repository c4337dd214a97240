"""The one builder of PyTorchJob (Kubeflow Training Operator v1) and RayJob (KubeRay 1.7) manifests.

The operators' webhooks take a minimum above the maximum, `nprocPerNode: abc` and `restartPolicy: Sometimes`, and fail
later: what is built here has been checked.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from korbert.errors import UsageError
from korbert.launch import names, pods
from korbert.launch.pods import Pod

RESTART_POLICIES = ("OnFailure", "Never", "Always")
"""Without the operator's ExitCode: it calls 1 to 127 fatal, and torchrun exits 1 whenever a worker has failed."""
CLEAN_POD_POLICIES = ("Running", "All", "None")

_GRACE = 60
"""Seconds from SIGTERM to SIGKILL of a training pod, unless it says otherwise."""


@dataclass(frozen=True)
class TrainingJob:
    """A PyTorchJob of Workers only: a Master would bring an init container that `restricted` refuses."""

    name: str
    pod: Pod
    namespace: str = "korbert"
    workers: int = 1
    """Pods to begin with."""
    elastic: tuple[int, int] | None = None
    """Fewest and most pods; None: no rendezvous by the operator, as one pod or a TPU slice needs none."""
    processes: int = 1
    """Worker processes a pod (`nprocPerNode`; the operator's `auto` would be the count of cores without GPUs)."""
    restart_policy: str = "OnFailure"
    max_restarts: int = 3
    """How often torchrun starts failed processes again; changes of membership do not count."""
    backoff_limit: int | None = None
    """Restarts of containers, of all pods together, before the job has failed; None: the operator's own."""
    clean_pods: str = "Running"
    """Which pods go when the job ends; by the operator's default surplus ones would run on."""
    ttl_seconds: int | None = None
    deadline_seconds: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks what the operator's webhook does not."""
        low, high = self.elastic or (self.workers, self.workers)
        _at_least("workers", self.workers, 1)
        _at_least("processes", self.processes, 1)
        _at_least("max_restarts", self.max_restarts, 0)
        if not 1 <= low <= self.workers <= high:
            raise UsageError(
                f"elastic {low}:{high} with {self.workers} workers: must be 1 <= fewest <= workers <= most; change one"
            )
        _one_of("restart_policy", self.restart_policy, RESTART_POLICIES)
        _one_of("clean_pods", self.clean_pods, CLEAN_POD_POLICIES)
        for name in ("backoff_limit", "ttl_seconds", "deadline_seconds"):
            if (value := getattr(self, name)) is not None:
                _at_least(name, value, 0)
        names.checked("name", self.name, names.longest_training(high))
        names.checked("namespace", self.namespace)


@dataclass(frozen=True)
class SweepJob:
    """A RayJob: a cluster of its own that grows with the trials, and goes when they are done."""

    name: str
    head: Pod
    worker: Pod
    submitter: Pod
    """Runs `ray job submit`: its command is the driver's entrypoint."""
    ray_version: str
    """Of the images, like "2.60.0"."""
    namespace: str = "korbert"
    workers: tuple[int, int] = (0, 1)
    """Fewest and most; the autoscaler moves between them."""
    backoff_limit: int = 2
    """Retries, each on a new cluster."""
    ttl_seconds: int | None = None
    deadline_seconds: int | None = None
    start_seconds: int | None = None
    """How long the cluster may take to be there, the head's gate included."""
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks what KubeRay does not."""
        low, high = self.workers
        if not 0 <= low <= high or high == 0:
            raise UsageError(f"workers {low}:{high}: must be 0 <= fewest <= most and most >= 1; change one")
        _at_least("backoff_limit", self.backoff_limit, 0)
        for name in ("ttl_seconds", "deadline_seconds", "start_seconds"):
            if (value := getattr(self, name)) is not None:
                _at_least(name, value, 0)
        names.checked("name", self.name, names.LONGEST_RAYJOB)
        names.checked("namespace", self.namespace)


def pytorchjob(job: TrainingJob) -> dict[str, Any]:
    """The manifest."""
    labels = labelled("pretrain", job.labels)
    grace = job.pod.grace_seconds or _GRACE
    pod = replace(job.pod, environment={**_environment(grace), **job.pod.environment}, grace_seconds=grace)
    spec: dict[str, Any] = {
        "nprocPerNode": str(job.processes),
        "runPolicy": _run_policy(job),
        "pytorchReplicaSpecs": {
            "Worker": {
                "replicas": job.workers,
                "restartPolicy": job.restart_policy,
                # The webhook wants a container of this name.
                "template": pods.template(pod, "pytorch", labels),
            }
        },
    }
    if job.elastic:
        spec["elasticPolicy"] = _elastic_policy(job.elastic, job.max_restarts)
    metadata = _metadata(job.name, job.namespace, labels)
    if job.annotations:
        metadata["annotations"] = dict(job.annotations)
    return {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": metadata, "spec": spec}


def rayjob(job: SweepJob) -> dict[str, Any]:
    """The manifest."""
    labels = labelled("tune", job.labels)
    spec: dict[str, Any] = {
        "entrypoint": shlex.join(job.submitter.command),
        "shutdownAfterJobFinishes": True,
        "backoffLimit": job.backoff_limit,
        "rayClusterSpec": _ray_cluster(job, labels),
        "submitterPodTemplate": _submitter(job, labels),
    }
    if job.deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = job.deadline_seconds
    if job.start_seconds is not None:
        spec["preRunningDeadlineSeconds"] = job.start_seconds
    if job.ttl_seconds is not None:
        spec["ttlSecondsAfterFinished"] = job.ttl_seconds
    return {
        "apiVersion": "ray.io/v1", "kind": "RayJob",
        "metadata": _metadata(job.name, job.namespace, labels), "spec": spec,
    }  # fmt: skip


def labelled(component: str, more: Mapping[str, str]) -> dict[str, str]:
    """Kubernetes' recommended labels, and more, which win."""
    own = {"name": "korbert", "part-of": "korbert", "component": component, "managed-by": "korbert"}
    return {**{f"app.kubernetes.io/{key}": value for key, value in own.items()}, **more}


def _environment(grace: int) -> dict[str, str]:
    return {
        # Otherwise the first rendezvous after a lost worker or a scale-up fails: it finds the old one's keys.
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        # torchrun must have ended its workers before the kubelet kills it.
        "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": str(max(1, grace // 2)),
        "OMP_NUM_THREADS": "1",
    }


# Ray tells its makers who uses it unless it is told not to.
_RAY_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0"}


def _metadata(name: str, namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": dict(labels)}


def _run_policy(job: TrainingJob) -> dict[str, Any]:
    policy: dict[str, Any] = {"cleanPodPolicy": job.clean_pods}
    more = {
        "backoffLimit": job.backoff_limit,
        "ttlSecondsAfterFinished": job.ttl_seconds,
        "activeDeadlineSeconds": job.deadline_seconds,
    }
    return policy | {key: value for key, value in more.items() if value is not None}


def _elastic_policy(elastic: tuple[int, int], max_restarts: int) -> dict[str, Any]:
    return {
        "minReplicas": elastic[0],
        "maxReplicas": elastic[1],
        "maxRestarts": max_restarts,
        "rdzvBackend": "c10d",
        # 5 s for others to join a world that could begin, by default 30; an empty list would crash the operator.
        "rdzvConf": [{"key": "last_call_timeout", "value": "5"}],
    }


def _ray_cluster(job: SweepJob, labels: Mapping[str, str]) -> dict[str, Any]:
    low, high = job.workers
    return {
        "rayVersion": job.ray_version,
        "enableInTreeAutoscaling": True,
        "autoscalerOptions": _autoscaler(),
        # Who reaches the dashboard can run code: never without a token.
        "authOptions": {"mode": "token"},
        "headGroupSpec": {
            # No trials beside the driver; the dashboard is for other pods too.
            "rayStartParams": {"num-cpus": "0", "dashboard-host": "0.0.0.0"},
            "template": _ray_template(job.head, "ray-head", labels),
        },
        "workerGroupSpecs": [
            {
                "groupName": "trials",
                "replicas": low,
                "minReplicas": low,
                "maxReplicas": high,
                "rayStartParams": {},
                "template": _ray_template(job.worker, "ray-worker", labels),
            }
        ],
    }


def _autoscaler() -> dict[str, Any]:
    size = {"cpu": "200m", "memory": "512Mi"}
    security = {**pods.container_security(), "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "idleTimeoutSeconds": 120,
        "securityContext": security,
        "resources": {"requests": size, "limits": {"memory": size["memory"]}},
    }


def _submitter(job: SweepJob, labels: Mapping[str, str]) -> dict[str, Any]:
    return _ray_template(job.submitter, "submitter", labels, restart_policy="Never")


def _ray_template(pod: Pod, container: str, labels: Mapping[str, str], restart_policy: str = "") -> dict[str, Any]:
    """Without a command: KubeRay gives each its own."""
    pod = replace(pod, environment={**_RAY_ENVIRONMENT, **pod.environment})
    built = pods.template(pod, container, labels, restart_policy)
    del built["spec"]["containers"][0]["command"]
    return built


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise UsageError(f"{name}: is {value}, must be at least {least}; raise it")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{name}: is {value!r}, must be one of {', '.join(allowed)}; choose one")
