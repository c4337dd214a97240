"""A pod of ours: what runs in it and with what, as the template that jobs of all kinds hold.

Every pod passes Pod Security `restricted` (https://kubernetes.io/docs/concepts/security/pod-security-standards/) and
has a read-only root: what a process writes goes to /data (the claim) or /tmp.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from korbert.errors import UsageError
from korbert.launch import names

USER = 10001
"""User and group of our images."""
_SCRATCH = "1Gi"
"""What /tmp and the container's log may need of the node's disk."""
_HOME = {"HOME": "/tmp"}  # libraries write caches there, and the root is read-only


@dataclass(frozen=True)
class Claim:
    """A persistent volume claim and where it is mounted."""

    name: str
    path: str
    read_only: bool = False


@dataclass(frozen=True)
class SecretVariable:
    """An environment variable that a Secret's key fills."""

    variable: str
    secret: str
    key: str
    optional: bool = False


@dataclass(frozen=True)
class Gate:
    """An artefact of the workspace that the pod waits for before it begins (`korbert wait`)."""

    artefact: str
    workspace: str
    timeout: str
    """Like 7d."""


@dataclass(frozen=True)
class Pod:
    """One container and what the node has to offer for it."""

    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    """Variables with a field of the pod's own, like metadata.name; the others may use them as $(NAME)."""
    secrets: tuple[SecretVariable, ...] = ()
    claims: tuple[Claim, ...] = ()
    cpu: str = "1"
    """Cores requested, in Kubernetes' notation; no limit, which would only throttle."""
    memory: str = "2Gi"
    """Requested and the limit."""
    devices: Mapping[str, int] = field(default_factory=dict)
    """Devices by resource name, like {"nvidia.com/gpu": 1}."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[str, ...] = ()
    """Keys of taints with effect NoSchedule that the pod tolerates, whatever their value."""
    service_account: str = "default"
    shared_memory: str = ""
    """Size of /dev/shm, whose 64 MB do not do for NCCL; "" leaves it alone. It counts towards `memory`."""
    grace_seconds: int | None = None
    """From SIGTERM to SIGKILL: the time for the last checkpoint; None: Kubernetes' 30."""
    gate: Gate | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    api_token: bool = False
    """Whether the service account's token is mounted: only for what asks the cluster's API."""

    def __post_init__(self) -> None:
        """Checks what an API server would take and a kubelet fail on."""
        if not self.image or not self.command:
            raise UsageError(f"image {self.image!r}, command {list(self.command)}: both must be given; name them")
        for name, count in self.devices.items():
            if count < 1:
                raise UsageError(f"devices {name}: is {count}, must be at least 1; leave it out for none")
        paths = [claim.path for claim in self.claims]
        if len(set(paths)) < len(paths):
            raise UsageError(f"claims: {', '.join(paths)}: two are mounted at one path; give each its own")
        for claim in self.claims:
            if not claim.path.startswith("/"):
                raise UsageError(f"claim {claim.name}: path {claim.path!r} must begin with '/'; give an absolute one")
        names.checked("service account", self.service_account)


def template(pod: Pod, container: str, labels: Mapping[str, str], restart_policy: str = "") -> dict[str, Any]:
    """The pod template: metadata with `labels` and a spec of one container named `container`."""
    metadata: dict[str, Any] = {"labels": {**labels, **pod.labels}}
    if pod.annotations:
        metadata["annotations"] = dict(pod.annotations)
    spec: dict[str, Any] = {
        "serviceAccountName": pod.service_account,
        "automountServiceAccountToken": pod.api_token,
        # Otherwise every service of the namespace is an environment variable of every pod.
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "containers": [_container(pod, container)],
        "volumes": _volumes(pod),
    }
    optional: dict[str, Any] = {
        "restartPolicy": restart_policy,
        "terminationGracePeriodSeconds": pod.grace_seconds,
        "initContainers": [_waiting(pod, pod.gate)] if pod.gate else None,
        "nodeSelector": dict(pod.node_selector),
        "tolerations": [{"key": k, "operator": "Exists", "effect": "NoSchedule"} for k in pod.tolerations],
    }
    return {"metadata": metadata, "spec": spec | {key: value for key, value in optional.items() if value}}


def pod_security() -> dict[str, Any]:
    """The pod's half of `restricted`."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """The container's half."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _container(pod: Pod, name: str) -> dict[str, Any]:
    mounts = _mounts(pod) + ([{"name": "shm", "mountPath": "/dev/shm"}] if pod.shared_memory else [])
    container: dict[str, Any] = {
        "name": name,
        "image": pod.image,
        "command": list(pod.command),
        "env": [*_fields(pod.fields), *_plain({**_HOME, **pod.environment}), *map(_secret, pod.secrets)],
        "resources": _resources(pod.cpu, pod.memory, pod.devices),
        "securityContext": container_security(),
        "volumeMounts": mounts,
    }
    if pod.ports:
        container["ports"] = [{"name": name, "containerPort": port} for name, port in pod.ports.items()]
    return container


def _waiting(pod: Pod, gate: Gate) -> dict[str, Any]:
    words = ["korbert", "wait", gate.artefact, "--workspace", gate.workspace, "--timeout", gate.timeout]
    return {
        "name": "wait",
        "image": pod.image,
        "command": words,
        "env": _plain(_HOME),
        "resources": _resources("50m", "256Mi", {}),
        "securityContext": container_security(),
        "volumeMounts": _mounts(pod),
    }


def _resources(cpu: str, memory: str, devices: Mapping[str, int]) -> dict[str, Any]:
    return {
        "requests": {"cpu": cpu, "memory": memory, "ephemeral-storage": _SCRATCH, **devices},
        "limits": {"memory": memory, **devices},
    }


def _mounts(pod: Pod) -> list[dict[str, Any]]:
    claims = [_mount(index, claim) for index, claim in enumerate(pod.claims)]
    return [*claims, {"name": "tmp", "mountPath": "/tmp"}]


def _plain(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in sorted(environment.items())]


def _fields(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]


def _secret(secret: SecretVariable) -> dict[str, Any]:
    reference: dict[str, Any] = {"name": secret.secret, "key": secret.key}
    if secret.optional:
        reference["optional"] = True
    return {"name": secret.variable, "valueFrom": {"secretKeyRef": reference}}


def _mount(index: int, claim: Claim) -> dict[str, Any]:
    mount: dict[str, Any] = {"name": _volume(index), "mountPath": claim.path}
    return {**mount, "readOnly": True} if claim.read_only else mount


def _volume(index: int) -> str:
    return f"data-{index}" if index else "data"


def _volumes(pod: Pod) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {"name": _volume(i), "persistentVolumeClaim": {"claimName": claim.name}} for i, claim in enumerate(pod.claims)
    ]
    volumes.append({"name": "tmp", "emptyDir": {}})
    if pod.shared_memory:
        volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": pod.shared_memory}})
    return volumes
