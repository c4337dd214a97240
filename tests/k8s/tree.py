"""The manifests as Python sees them: rendered by kubectl, or as the snapshots keep them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

K8S = Path(__file__).resolve().parents[2] / "k8s"
SNAPSHOTS = Path(__file__).parent / "snapshots"
OVERLAYS = ("gpu", "local", "tpu")
COMPONENTS = {
    "backfill": OVERLAYS,
    "cloudnative-pg": OVERLAYS,
    "external-secret": OVERLAYS,
    "gang": ("gpu", "local"),
    "gcs": ("gpu", "tpu"),
    "kueue": OVERLAYS,
    "monitoring": OVERLAYS,
    "newsroom": ("gpu", "tpu"),
    "s3": OVERLAYS,
    "spot": ("gpu", "tpu"),
    "wandb": OVERLAYS,
}
"""Component to the overlays it goes with: a slice has no gang but itself, `local` has a newsroom and no spot nodes."""
COMBINATIONS = [
    *((overlay, (name,)) for name, overlays in COMPONENTS.items() for overlay in overlays),
    *((overlay, tuple(n for n in COMPONENTS if overlay in COMPONENTS[n] and n != "gcs")) for overlay in OVERLAYS),
]
"""Each component alone on each overlay, and each overlay with all of its components, of two object stores one."""
NAMES = [f"{overlay}+{'+'.join(components)}" for overlay, components in COMBINATIONS]

Object = dict[str, Any]


def kustomize(folder: Path) -> str:
    """What kubectl makes of a folder; the test is skipped where no kubectl is installed."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: only the snapshots are looked at")
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def combined(folder: Path, overlay: str, components: tuple[str, ...]) -> list[Object]:
    """An overlay with components, as a user's own kustomization in `folder` would have it."""
    near = os.path.relpath(K8S, folder)
    text = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{near}/overlays/{overlay}"],
        "components": [f"{near}/components/{name}" for name in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(text))
    return objects(kustomize(folder))


def objects(text: str) -> list[Object]:
    """The documents of a YAML stream."""
    return [found for found in yaml.safe_load_all(text) if found]


def snapshot(overlay: str) -> list[Object]:
    """An overlay as its snapshot keeps it."""
    return objects((SNAPSHOTS / f"{overlay}.yaml").read_text())


def named(found: list[Object], kind: str, name: str) -> Object:
    """The one object of this kind and name."""
    (only,) = (one for one in found if one["kind"] == kind and one["metadata"]["name"] == name)
    return only


def templates(one: Object) -> Iterator[Object]:
    """The pod templates in an object: metadata and spec."""
    spec = one.get("spec", {})
    if one["kind"] in ("Job", "Deployment", "StatefulSet"):
        yield spec["template"]
    elif one["kind"] == "CronJob":
        yield spec["jobTemplate"]["spec"]["template"]
    elif one["kind"] == "PyTorchJob":
        yield from (replica["template"] for replica in spec["pytorchReplicaSpecs"].values())
    elif one["kind"] == "RayJob":
        yield spec["submitterPodTemplate"]
        cluster = spec["rayClusterSpec"]
        yield from (group["template"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]))


def pods(found: list[Object]) -> list[tuple[str, Object]]:
    """Every pod template with the name of what it belongs to."""
    return [(f"{one['kind']} {one['metadata']['name']}", template) for one in found for template in templates(one)]


def containers(template: Object) -> list[Object]:
    """A pod's containers, those that run before the others too."""
    spec = template["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]
