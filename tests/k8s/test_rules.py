"""Our own rules hold for each overlay, and each rule finds what it is there for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from . import rules
from .tree import COMBINATIONS, NAMES, OVERLAYS, Object, combined, containers, named, pods, snapshot


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_keeps_every_rule(overlay: str, rule: Callable[[list[Object]], list[str]]) -> None:
    assert rule(snapshot(overlay)) == []


@pytest.mark.parametrize(("overlay", "components"), COMBINATIONS, ids=NAMES)
def test_a_combination_keeps_every_rule(tmp_path: Path, overlay: str, components: tuple[str, ...]) -> None:
    found = combined(tmp_path, overlay, components)
    assert [broken for rule in rules.RULES for broken in rule(found)] == []


def _worker(found: list[Object]) -> Object:
    job = named(found, "PyTorchJob", "korbert-pretrain")
    return job["spec"]["pytorchReplicaSpecs"]["Worker"]


def _pod(found: list[Object]) -> Object:
    return _worker(found)["template"]["spec"]


BREAKS: dict[str, Callable[[list[Object]], object]] = {
    "images": lambda found: _pod(found)["containers"][0].update(image="korbert-train-gpu"),
    "rendezvous": lambda found: _pod(found)["containers"][0]["command"].insert(1, "--nnodes=4"),
    "restricted": lambda found: _pod(found)["initContainers"][0].pop("securityContext"),
    "resources": lambda found: _pod(found)["containers"][0]["resources"].pop("limits"),
    "references": lambda found: found.remove(named(found, "PersistentVolumeClaim", "korbert-data")),
    "tokens": lambda found: _pod(found).update(automountServiceAccountToken=True),
    "labels": lambda found: _worker(found)["template"]["metadata"]["labels"].pop("app.kubernetes.io/name"),
    "lengths": lambda found: named(found, "RayJob", "korbert-tune")["metadata"].update(name="k" * 48),
    "secrets": lambda found: _pod(found)["containers"][0]["env"].append({"name": "WANDB_API_KEY", "value": "x"}),
    "suspended": lambda found: named(found, "Job", "korbert-corpus")["spec"].update(suspend=True),
    "namespaces": lambda found: named(found, "Job", "korbert-corpus")["metadata"].update(namespace="default"),
    "training": lambda found: _worker(found).update(replicas=9),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_rule_finds_what_breaks_it(rule: Callable[[list[Object]], list[str]]) -> None:
    found = copy.deepcopy(snapshot("gpu"))
    BREAKS[rule.__name__](found)
    assert rule(found) != []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_command_is_one_that_the_project_has(overlay: str) -> None:
    """Words that follow `korbert` and `python -m` in the manifests; their options are the commands' own affair."""
    known = {("korbert", "config"), ("korbert", "stage"), ("korbert", "wait"), ("python", "-m"), ("torchrun", "-m")}
    scripts = {("python", "/etc/korbert/make_credentials.py"), ("python", "/etc/korbert/await_training.py")}
    database = {("sh", "/etc/korbert/backup.sh"), ("sh", "/etc/korbert/initialise.sh")}
    for _, template in pods(snapshot(overlay)):
        for box in containers(template):
            if "command" in box:
                assert tuple(box["command"][:2]) in known | scripts | database
