"""What a cluster lacks for an overlay, found before anything is applied: one finding a fact, each with what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from korbert.cluster.access import Api, Denied
from korbert.cluster.needs import (
    CLAIM,
    KUBERNETES,
    NAMESPACE,
    OPERATORS,
    OVERLAYS,
    RIGHTS,
    RWX_PROVISIONERS,
    SECRET,
    SECRET_KEYS,
    SOURCE_KEY,
    SOURCE_SECRET,
    Needs,
    Operator,
)  # fmt: skip
from korbert.cluster.quantities import amount
from korbert.errors import UsageError

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_ENFORCE = "pod-security.kubernetes.io/enforce"
_LEVELS = ("privileged", "baseline", "restricted")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: str
    """ok; missing (nothing works without it); warning (works in part, or later); unknown (may not be looked at)."""
    what: str
    step: str = ""
    """What to do about it; empty when nothing is to be done."""


def check(api: Api, overlay: str) -> list[Finding]:
    """Everything that the overlay needs, in the order in which one would mend it.

    Raises:
        UsageError: for an unknown overlay.
        WorldError: when the cluster cannot be reached or does not take the credentials.
    """
    if overlay not in OVERLAYS:
        raise UsageError(f"--overlay {overlay}: there is no such overlay; there are: {', '.join(OVERLAYS)}")
    needs = OVERLAYS[overlay]
    looks: list[tuple[str, Callable[[], list[Finding]]]] = [("kubernetes", lambda: _version(api))]
    looks += [(operator.name, _bound(_operator, api, operator)) for operator in OPERATORS]
    looks += [
        ("storage", lambda: _storage(api, needs)),
        ("nodes", lambda: _nodes(api, needs)),
        ("pod security", lambda: _pod_security(api)),
        ("quota", lambda: _quotas(api, needs)),
        ("secret", lambda: _secret(api)),
        *([("source key", lambda: _source_key(api))] if needs.source_key else []),
        ("rights", lambda: _rights(api)),
    ]
    return [finding for subject, look in looks for finding in _looked(subject, look)]


def _bound(look: Callable[[Api, Operator], list[Finding]], api: Api, operator: Operator) -> Callable[[], list[Finding]]:
    return lambda: look(api, operator)


def _looked(subject: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except Denied as error:
        step = "ask whoever runs the cluster, or look with an account that may"
        return [Finding(subject, "unknown", f"this account may not read {error}", step)]


def _version(api: Api) -> list[Finding]:
    found = api.get("/version") or {}
    major, minor = (int(re.sub(r"\D.*", "", found.get(key, "")) or 0) for key in ("major", "minor"))
    oldest, newest = KUBERNETES
    what = f"Kubernetes {major}.{minor}; checked against {oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}"
    if (major, minor) < oldest:
        return [Finding("kubernetes", "missing", what, f"upgrade the cluster to {oldest[0]}.{oldest[1]} or later")]
    return [Finding("kubernetes", "ok" if (major, minor) <= newest else "warning", what)]


def _operator(api: Api, operator: Operator) -> list[Finding]:
    served = {item["name"] for item in (api.get(f"/apis/{operator.group}/v1") or {}).get("resources", [])}
    apply = "run: kubectl apply --server-side -k k8s/operators"
    if lacking := [f"{name}.{operator.group}" for name in operator.resources if name not in served]:
        return [Finding(operator.name, "missing", f"no CRD {', '.join(lacking)} with version v1", apply)]
    runs = [run for run in _running(api) if f"/{run.name}".endswith(f"/{operator.image}")]
    if not runs:
        return [Finding(operator.name, "missing", "the CRDs are there, but no Deployment runs the operator", apply)]
    if not any(run.ready for run in runs):
        step = f"see why: kubectl get pods --all-namespaces | grep {operator.name}"
        return [Finding(operator.name, "missing", "no pod of its Deployment is ready", step)]
    tags = [run.tag for run in runs]
    if {operator.version, operator.tag} & set(tags):
        return [Finding(operator.name, "ok", operator.version)]
    return [Finding(operator.name, "warning", f"runs {', '.join(tags)}, tested with {operator.version}", apply)]


@dataclass(frozen=True)
class _Image:
    """An image of some Deployment."""

    name: str
    tag: str
    ready: bool
    """Whether a pod of the Deployment is."""


def _running(api: Api) -> list[_Image]:
    images = []
    for deployment in api.items("/apis/apps/v1/deployments"):
        ready = bool(deployment.get("status", {}).get("readyReplicas"))
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            # A registry's port is no tag: the tag's colon comes after the last slash.
            found = re.fullmatch(r"(.+?)(?::([^/:]+))?", container["image"].partition("@")[0])
            if found:
                images.append(_Image(found[1], found[2] or "no tag", ready))
    return images


def _storage(api: Api, needs: Needs) -> list[Finding]:
    claim = api.get(f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/{CLAIM}")
    if claim and claim.get("status", {}).get("phase") == "Bound":
        return [Finding("storage", "ok", f"claim {CLAIM} is bound")]
    classes = api.items("/apis/storage.k8s.io/v1/storageclasses")
    default = [c for c in classes if c["metadata"].get("annotations", {}).get(_DEFAULT_CLASS) == "true"]
    if not needs.shared_storage:
        return [_default_class(default)]
    shared = [c for c in classes if c["provisioner"].endswith(RWX_PROVISIONERS)]
    if shared:
        names = ", ".join(c["metadata"]["name"] for c in shared)
        step = "" if any(c in default for c in shared) else f"name one as storageClassName of claim {CLAIM}"
        return [Finding("storage", "ok", f"ReadWriteMany by class {names}", step)]
    known = ", ".join(f"{c['metadata']['name']} ({c['provisioner']})" for c in classes) or "no class at all"
    step = f"add one (Filestore, EFS, Azure Files, NFS, CephFS) and name it in claim {CLAIM}"
    return [Finding("storage", "missing", f"no class known for ReadWriteMany; there is: {known}", step)]


def _default_class(default: list[dict[str, Any]]) -> Finding:
    if default:
        return Finding("storage", "ok", f"default class {default[0]['metadata']['name']}")
    return Finding("storage", "missing", "no default storage class", "mark one, or name one in claim " + CLAIM)


def _nodes(api: Api, needs: Needs) -> list[Finding]:
    nodes = [node for node in api.items("/api/v1/nodes") if not node.get("spec", {}).get("unschedulable")]
    if not needs.accelerator:
        state = "ok" if nodes else "missing"
        return [Finding("nodes", state, f"{len(nodes)} schedulable", "" if nodes else "add a node")]
    count = sum(int(node["status"].get("allocatable", {}).get(needs.accelerator, "0")) for node in nodes)
    what = f"{count} {needs.accelerator} on {len(nodes)} schedulable nodes, {needs.accelerators} wanted"
    if count < needs.least:
        return [Finding("nodes", "missing", what, needs.step)]
    if count < needs.accelerators:
        return [Finding("nodes", "warning", what, "training starts with fewer workers; add nodes for the others")]
    return [Finding("nodes", "ok", what)]


def _pod_security(api: Api) -> list[Finding]:
    namespace = api.get(f"/api/v1/namespaces/{NAMESPACE}")
    if namespace is None:
        return [Finding("pod security", "ok", f"namespace {NAMESPACE} is not there yet; apply makes it, restricted")]
    level = namespace["metadata"].get("labels", {}).get(_ENFORCE)
    if level is None:
        step = f"apply sets it, or run: kubectl label namespace {NAMESPACE} {_ENFORCE}=restricted"
        return [Finding("pod security", "warning", f"namespace {NAMESPACE} enforces no level", step)]
    if level not in _LEVELS:
        step = f"set label {_ENFORCE} to restricted"
        return [Finding("pod security", "missing", f"namespace {NAMESPACE}: {level} is no level", step)]
    return [Finding("pod security", "ok", f"namespace {NAMESPACE} enforces {level}; our pods keep to restricted")]


def _quotas(api: Api, needs: Needs) -> list[Finding]:
    quotas = api.items(f"/api/v1/namespaces/{NAMESPACE}/resourcequotas")
    findings = [finding for quota in quotas if (finding := _narrow(quota, needs))]
    return findings or [Finding("quota", "ok", f"{len(quotas)} in namespace {NAMESPACE}, none in the way")]


def _narrow(quota: dict[str, Any], needs: Needs) -> Finding | None:
    """What a quota can never hold is missing; what it cannot hold now may be in use by our own pods."""
    hard, used = (quota.get("status", {}).get(key, {}) for key in ("hard", "used"))
    wanted = {f"requests.{needs.accelerator}": needs.least} if needs.accelerator else {}
    told = {name: f"{name} {used.get(name, '0')} of {limit} used" for name, limit in hard.items()}
    never = [told[name] for name, limit in hard.items() if amount(limit) < wanted.get(name, 1e-9)]
    full = [told[name] for name, limit in hard.items() if amount(used.get(name, "0")) >= amount(limit)]
    name = quota["metadata"]["name"]
    if never:
        return Finding("quota", "missing", f"{name}: {', '.join(never)}", "ask for a larger quota")
    if full:
        return Finding("quota", "warning", f"{name}: {', '.join(full)}", "new pods wait; raise it or free some")
    return None


def _secret(api: Api) -> list[Finding]:
    found = api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{SECRET}")
    if found is None:
        return [Finding("secret", "ok", f"{SECRET} is not there yet; the first apply makes it")]
    if lacking := [key for key in SECRET_KEYS if key not in found.get("data", {})]:
        step = (
            f"add {'them' if len(lacking) > 1 else 'it'}, or delete the Secret before the first apply, which makes it"
        )
        return [Finding("secret", "missing", f"{SECRET} has no {', '.join(lacking)}", step)]
    return [Finding("secret", "ok", f"{SECRET} is there")]


def _source_key(api: Api) -> list[Finding]:
    found = api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{SOURCE_SECRET}")
    if found is not None and SOURCE_KEY in found.get("data", {}):
        return [Finding("source key", "ok", f"{SOURCE_SECRET} has {SOURCE_KEY}")]
    what = f"{SOURCE_SECRET} " + ("is not there" if found is None else f"has no {SOURCE_KEY}")
    step = (
        f"kubectl create secret generic {SOURCE_SECRET} -n {NAMESPACE} --from-literal={SOURCE_KEY}=..., "
        "or name in ConfigMap korbert-settings a source that wants none"
    )
    return [Finding("source key", "warning", f"{what}: source policy_briefing cannot be asked", step)]


def _rights(api: Api) -> list[Finding]:
    asked = [(verb, group, resource, NAMESPACE) for group, resource in RIGHTS for verb in ("create", "patch")]
    if api.get(f"/api/v1/namespaces/{NAMESPACE}") is None:
        asked.insert(0, ("create", "", "namespaces", ""))
    lacking = [
        f"{verb} {resource}" for verb, group, resource, where in asked if not _may(api, verb, group, resource, where)
    ]
    if lacking:
        step = (
            f"ask for a role with them in namespace {NAMESPACE}, such as the ClusterRole admin and the operators' own"
        )
        return [Finding("rights", "missing", f"this account may not {', '.join(lacking)}", step)]
    return [Finding("rights", "ok", f"all {len(asked)} that apply needs")]


def _may(api: Api, verb: str, group: str, resource: str, namespace: str) -> bool:
    attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer.get("status", {}).get("allowed"))
