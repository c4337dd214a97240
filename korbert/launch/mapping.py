"""torchx's AppDef as a TrainingJob."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchx.specs import AppDef, Role, VolumeMount, macros
from torchx.specs.api import NULL_RESOURCE

from korbert.errors import UsageError
from korbert.launch.connection import INDEX_LABEL
from korbert.launch.manifests import TrainingJob
from korbert.launch.pods import Claim, Pod, SecretVariable

ROLE_ANNOTATION = "korbert.dev/torchx-role"
MANAGED_BY = ("app.kubernetes.io/managed-by", "torchx")
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
_GPU = "nvidia.com/gpu"
_REPLICA = "TORCHX_REPLICA_ID"


def training_job(app: AppDef, name: str, options: Mapping[str, Any]) -> TrainingJob:
    """The job of this name.

    Args:
        app: with one role; its `min_replicas` makes it elastic, up to the option `max_replicas` or `num_replicas`.
        name: of the job.
        options: as `KubeflowScheduler` declares them, resolved.

    Raises:
        UsageError: for what a PyTorchJob or `restricted` has no place for.
    """
    if len(app.roles) != 1:
        raise UsageError(f"app {app.name}: has {len(app.roles)} roles, a PyTorchJob has one; run each by itself")
    role = _filled(app.roles[0], options["namespace"], name)
    return TrainingJob(
        name=name,
        namespace=options["namespace"],
        pod=_pod(role, options),
        workers=role.num_replicas,
        elastic=_elastic(role, options["max_replicas"]),
        processes=options["processes"] or max(1, role.resource.gpu),
        restart_policy="OnFailure" if role.max_retries else "Never",
        max_restarts=role.max_retries,
        backoff_limit=role.max_retries * role.num_replicas,
        ttl_seconds=options["ttl"] or None,
        deadline_seconds=options["deadline"] or None,
        labels=_labels(role, options["queue"]),
        annotations={ROLE_ANNOTATION: role.name},
    )


def secret(text: str) -> SecretVariable:
    """Reads VARIABLE:SECRET:KEY."""
    parts = text.split(":")
    if len(parts) != 3 or not all(parts):
        raise UsageError(f"secrets {text!r}: must be VARIABLE:SECRET:KEY, like WANDB_API_KEY:korbert-wandb:key")
    return SecretVariable(parts[0], parts[1], parts[2])


def _filled(role: Role, namespace: str, name: str) -> Role:
    """The role with torchx's macros replaced; the replica's number is one that Kubernetes fills in."""
    values = macros.Values(
        img_root="", app_id=f"{namespace}:{name}", replica_id=f"$({_REPLICA})", rank0_env="TORCHX_RANK0_HOST",
    )  # fmt: skip
    filled: Role = values.apply(role)
    filled.env = {"TORCHX_RANK0_HOST": f"{name}-worker-0", **filled.env}
    return filled


def _labels(role: Role, queue: str) -> dict[str, str]:
    """By `component` the tree's network policies tell who may reach what: our roles have the names of its stages."""
    own = {MANAGED_BY[0]: MANAGED_BY[1], "app.kubernetes.io/component": role.name}
    return {**own, QUEUE_LABEL: queue} if queue else own


def _elastic(role: Role, most: int) -> tuple[int, int] | None:
    """Several pods meet by the operator's rendezvous even where their number is fixed: there is no Master."""
    low, high = role.min_replicas or role.num_replicas, most or role.num_replicas
    return None if (low, high) == (1, 1) else (low, high)


def _pod(role: Role, options: Mapping[str, Any]) -> Pod:
    resource = role.resource
    if resource == NULL_RESOURCE or resource.cpu <= 0 or resource.memMB <= 0:
        raise UsageError(f"role {role.name}: cpu and memory must be above 0; give both, like --cpu 4 --memory 8192")
    devices = {**({_GPU: resource.gpu} if resource.gpu > 0 else {}), **resource.devices}
    # torchx's named resources put node labels here, beside notes of other schedulers.
    labels = {k: str(v) for k, v in resource.capabilities.items() if "/" in k}
    return Pod(
        image=role.image,
        command=(role.entrypoint, *role.args),
        environment=role.env,
        fields={_REPLICA: f"metadata.labels['{INDEX_LABEL}']"},
        secrets=tuple(secret(text) for text in options["secrets"] or ()),
        claims=tuple(_claim(role, mount) for mount in role.mounts),
        cpu=str(resource.cpu),
        memory=f"{resource.memMB}Mi",
        devices=devices,
        node_selector={**labels, **(options["node_selector"] or {})},
        tolerations=tuple(options["tolerations"] or ()),
        service_account=options["service_account"],
        shared_memory=options["shared_memory"],
    )


def _claim(role: Role, mount: object) -> Claim:
    if not isinstance(mount, VolumeMount):
        raise UsageError(
            f"role {role.name}: mounts a {type(mount).__name__}, which Pod Security `restricted` refuses; use "
            "type=volume,src=CLAIM,dst=PATH"
        )
    return Claim(mount.src, mount.dst_path, mount.read_only)
