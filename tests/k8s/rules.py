"""Our own rules for manifests: each answers what breaks it, as sentences."""

from __future__ import annotations

import re
from typing import Any

from .tree import Object, containers, pods

_RENDEZVOUS = re.compile(r"^--(nnodes|nproc[-_]per[-_]node|node[-_]rank|rdzv|master|standalone|max[-_]restarts)")
# Secrets that nothing here makes: a person does, or korbert-credentials.
MADE_ELSEWHERE = {"korbert-postgres"}


def images(found: list[Object]) -> list[str]:
    """Every image has a tag that names one version."""
    bad = []
    for owner, template in pods(found):
        for box in containers(template):
            tag = box["image"].rpartition("/")[2].partition(":")[2]
            if not tag or tag == "latest":
                bad.append(f"{owner}: {box['name']}: image {box['image']} is not pinned")
    return bad


def rendezvous(found: list[Object]) -> list[str]:
    """No option of torchrun overrides what the operator says by PET_*."""
    return [
        f"{owner}: {word}"
        for owner, template in pods(found)
        for box in containers(template)
        for word in (*box.get("command", ()), *box.get("args", ()))
        if "torchrun" in str(box.get("command")) and _RENDEZVOUS.match(str(word))
    ]


def restricted(found: list[Object]) -> list[str]:
    """All fields that Pod Security `restricted` asks for, and a read-only root."""
    bad = []
    for owner, template in pods(found):
        spec = template["spec"]
        pod = spec.get("securityContext", {})
        if not (pod.get("runAsNonRoot") and pod.get("seccompProfile", {}).get("type") == "RuntimeDefault"):
            bad.append(f"{owner}: its pod's securityContext is not restricted")
        if any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")) or pod.get("runAsUser") == 0:
            bad.append(f"{owner}: shares the node's namespaces or is root")
        if any("hostPath" in volume for volume in spec.get("volumes", ())):
            bad.append(f"{owner}: has a hostPath volume")
        for box in containers(template):
            own = box.get("securityContext", {})
            closed = own.get("allowPrivilegeEscalation") is False and own.get("readOnlyRootFilesystem") is True
            if not closed or own.get("capabilities") != {"drop": ["ALL"]}:
                bad.append(f"{owner}: {box['name']}: its securityContext is not restricted")
    return bad


def resources(found: list[Object]) -> list[str]:
    """CPU, memory and disk are asked for, and memory is limited."""
    return [
        f"{owner}: {box['name']}"
        for owner, template in pods(found)
        for box in containers(template)
        if not {"cpu", "memory", "ephemeral-storage"} <= box.get("resources", {}).get("requests", {}).keys()
        or "memory" not in box["resources"].get("limits", {})
    ]


def references(found: list[Object]) -> list[str]:
    """Every ConfigMap, Secret, PVC and ServiceAccount that a pod names is there; optional ones need not be."""
    there = {(one["kind"], one["metadata"]["name"]) for one in found}
    there |= {("Secret", name) for name in MADE_ELSEWHERE}
    return [
        f"{owner}: {kind} {name}"
        for owner, template in pods(found)
        for kind, name in sorted(_named(template))
        if (kind, name) not in there
    ]


def _named(template: Object) -> set[tuple[str, str]]:
    names = {("ServiceAccount", template["spec"]["serviceAccountName"])}
    for volume in template["spec"].get("volumes", ()):
        if "configMap" in volume:
            names.add(("ConfigMap", volume["configMap"]["name"]))
        if "persistentVolumeClaim" in volume:
            names.add(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]))
    for box in containers(template):
        sources: list[Any] = [entry.get("valueFrom", {}) for entry in box.get("env", ())] + box.get("envFrom", [])
        for source in sources:
            for key, kind in {"secretKeyRef": "Secret", "secretRef": "Secret", "configMapKeyRef": "ConfigMap",
                              "configMapRef": "ConfigMap"}.items():  # fmt: skip
                if key in source and not source[key].get("optional"):
                    names.add((kind, source[key]["name"]))
    return names


def tokens(found: list[Object]) -> list[str]:
    """A pod has a service account's token exactly where it talks to the API server, and then it may reach it."""
    return [
        owner
        for owner, template in pods(found)
        if template["spec"].get("automountServiceAccountToken") is not (
            template["metadata"]["labels"].get("korbert/api") == "client"
        )
    ]  # fmt: skip


def labels(found: list[Object]) -> list[str]:
    """The recommended keys, on objects and on pods."""
    wanted = {"app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"}
    every = [(one["kind"] + " " + one["metadata"]["name"], one["metadata"]) for one in found]
    every += [(owner, template["metadata"]) for owner, template in pods(found)]
    return [owner for owner, metadata in every if not wanted <= metadata.get("labels", {}).keys()]


def lengths(found: list[Object]) -> list[str]:
    """DNS-1035 names, short enough for what the operators append to them."""
    most = {"PyTorchJob": 47, "RayJob": 47, "CronJob": 52}
    return [
        f"{one['kind']} {one['metadata']['name']}"
        for one in found
        if not re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", one["metadata"]["name"])
        or len(one["metadata"]["name"]) > most.get(one["kind"], 63)
    ]


def secrets(found: list[Object]) -> list[str]:
    """No Secret, and no password in a variable or a URL."""
    bad = [one["metadata"]["name"] for one in found if one["kind"] == "Secret"]
    for owner, template in pods(found):
        for box in containers(template):
            for entry in box.get("env", ()):
                if re.search(r"PASSWORD|_KEY|TOKEN|DATABASE_URL", entry["name"]) and "value" in entry:
                    bad.append(f"{owner}: {entry['name']} has its value in the manifest")
                if re.search(r"://[^/]*:[^/]*@", str(entry.get("value", ""))):
                    bad.append(f"{owner}: {entry['name']} holds a URL with a password")
    return bad


def suspended(found: list[Object]) -> list[str]:
    """Nothing is applied suspended: without Kueue it would never start."""
    return [one["metadata"]["name"] for one in found if (one.get("spec") or {}).get("suspend")]


def namespaces(found: list[Object]) -> list[str]:
    """All lies in one namespace."""
    return [
        f"{one['kind']} {one['metadata']['name']}"
        for one in found
        if one["kind"] != "Namespace" and one["metadata"].get("namespace") != "korbert"
    ]


def training(found: list[Object]) -> list[str]:
    """What neither the CRD nor the operator's webhook looks at in a PyTorchJob."""
    bad = []
    for one in (one for one in found if one["kind"] == "PyTorchJob"):
        spec = one["spec"]
        worker, elastic = spec["pytorchReplicaSpecs"]["Worker"], spec.get("elasticPolicy")
        if set(spec["pytorchReplicaSpecs"]) != {"Worker"}:
            bad.append("has other replicas than workers")
        if not str(spec["nprocPerNode"]).isdigit():
            bad.append(f"nprocPerNode {spec['nprocPerNode']!r} is no number")
        if elastic and not elastic["minReplicas"] <= worker["replicas"] <= elastic["maxReplicas"]:
            bad.append("replicas are not within minReplicas and maxReplicas")
        if worker["restartPolicy"] != "OnFailure" or not spec["runPolicy"].get("cleanPodPolicy"):
            bad.append("restartPolicy must be OnFailure, and cleanPodPolicy said")
        if [box["name"] for box in worker["template"]["spec"]["containers"]] != ["pytorch"]:
            bad.append("its container must be called pytorch")
    return bad


RULES = (images, rendezvous, restricted, resources, references, tokens, labels, lengths, secrets, suspended,
         namespaces, training)  # fmt: skip
