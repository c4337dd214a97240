"""What `korbert cluster check` asks for is what the overlays apply."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from korbert.cluster.needs import CLAIM, NAMESPACE, OPERATORS, OVERLAYS, RIGHTS

ROOT = Path(__file__).parents[2]


def _applied(overlay: str) -> list[dict[str, Any]]:
    text = (ROOT / "tests/k8s/snapshots" / f"{overlay}.yaml").read_text()
    return [item for item in yaml.safe_load_all(text) if item]


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (word for item in value.values() for word in _words(item))
    elif isinstance(value, list):
        yield from (word for item in value for word in _words(item))
    else:
        yield str(value)


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_the_right_to_each_kind_that_an_overlay_applies_is_asked_for(overlay: str) -> None:
    asked = {(group, resource) for group, resource in RIGHTS}
    for item in _applied(overlay):
        group, _, _ = item["apiVersion"].rpartition("/")
        plural = item["kind"].lower().removesuffix("y") + ("ies" if item["kind"].endswith("y") else "s")
        assert (group, plural) in asked or item["kind"] == "Namespace", item["kind"]


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_namespace_and_claim_are_the_overlays(overlay: str) -> None:
    found = {(item["kind"], item["metadata"]["name"]) for item in _applied(overlay)}
    assert {("Namespace", NAMESPACE), ("PersistentVolumeClaim", CLAIM)} <= found


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_the_accelerators_are_those_of_the_overlays_workers(overlay: str) -> None:
    (job,) = [item for item in _applied(overlay) if item["kind"] == "PyTorchJob"]
    worker = job["spec"]["pytorchReplicaSpecs"]["Worker"]
    limits = worker["template"]["spec"]["containers"][0]["resources"]["limits"]
    needs = OVERLAYS[overlay]
    each = int(limits.get(needs.accelerator, 0))
    assert each * worker["replicas"] == needs.accelerators


def test_the_operators_are_those_that_are_pinned() -> None:
    pinned = "\n".join(_words(yaml.safe_load((ROOT / "k8s/operators/kustomization.yaml").read_text())))
    assert all(operator.version in pinned for operator in OPERATORS)
