"""The cluster that KORBERT_TEST_KUBECONFIG names, by kubectl.

The operators run there (`kubectl apply --server-side -k k8s/operators`), and the images can be had: from the registry
that KORBERT_TEST_REGISTRY names (REGISTRY/korbert-crawler and so on, tag 0.1.0), or they lie on the nodes already.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from .tree import K8S, Object

KUBECONFIG = os.environ.get("KORBERT_TEST_KUBECONFIG", "")
REGISTRY = os.environ.get("KORBERT_TEST_REGISTRY", "")
only_with_a_cluster = pytest.mark.skipif(not KUBECONFIG, reason="KORBERT_TEST_KUBECONFIG names no cluster")
NAMESPACE = "korbert"


def kubectl(*words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs kubectl in namespace korbert of the cluster."""
    command = ["kubectl", f"--kubeconfig={KUBECONFIG}", f"--namespace={NAMESPACE}", *words]
    return subprocess.run(command, capture_output=True, text=True, input=stdin)


def done(*words: str, stdin: str | None = None) -> str:
    """What kubectl prints; it must succeed."""
    answer = kubectl(*words, stdin=stdin)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def get(kind: str, name: str) -> Object:
    """An object as the API server has it; empty where there is none."""
    answer = kubectl("get", kind, name, "-o", "json", "--ignore-not-found")
    assert answer.returncode == 0, answer.stderr
    found: Object = json.loads(answer.stdout or "{}")
    return found


def until(what: str, look: Callable[[], bool], minutes: float, poll: float = 5.0) -> None:
    """Waits for a fact; fails with the namespace's pods where it does not come."""
    deadline = time.monotonic() + 60 * minutes
    while not look():
        assert time.monotonic() < deadline, f"not after {minutes} minutes: {what}\n{kubectl('get', 'pods').stdout}"
        time.sleep(poll)


def holds(kind: str, name: str, condition: str) -> bool:
    """Whether an object's status has the condition; one that has failed for good ends the test."""
    conditions = get(kind, name).get("status", {}).get("conditions", [])
    states = {one["type"]: one for one in conditions if one["status"] == "True"}
    assert "Failed" not in states, f"{kind} {name}: {states['Failed'].get('message')}"
    return condition in states


def overlay(folder: Path, name: str) -> Path:
    """A kustomization in `folder` of an overlay with the images that the tests are to use."""
    text: Object = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(K8S / "overlays" / name, folder.resolve())],
    }
    if REGISTRY:
        images = ("korbert-crawler", "korbert-train-gpu", "korbert-tune")
        text["images"] = [{"name": image, "newName": f"{REGISTRY}/{image}"} for image in images]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(text))
    return folder


def image(name: str) -> str:
    """The image's name with registry and tag."""
    return f"{REGISTRY}/{name}:0.1.0" if REGISTRY else f"{name}:0.1.0"
