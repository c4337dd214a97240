"""Strict validation: built-in kinds by each Kubernetes' own schemas, custom resources by shapes of the fields we know.

The shapes in `schemas/` list the fields of the CRDs that their documentation names (Training Operator 1.9.4, KubeRay
1.7.0, Kueue 0.19, CloudNativePG 1.30, External Secrets' v1) and refuse any other. The pod templates in them are
validated as Kubernetes' own.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from .tree import COMBINATIONS, NAMES, OVERLAYS, Object, combined, named, snapshot, templates

VERSIONS = ("1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
SCHEMAS = Path(__file__).parent / "schemas"
CUSTOM = {"PyTorchJob", "RayJob", "LocalQueue", "Cluster", "ExternalSecret"}


def validate(one: Object, version: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    if one["kind"] not in CUSTOM:
        kubernetes_validate.validate(one, version, strict=True)
        return
    jsonschema.validate(one, json.loads((SCHEMAS / f"{one['kind'].lower()}.json").read_text()))
    for template in templates(one):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"]}
        kubernetes_validate.validate(pod, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_valid(overlay: str, version: str) -> None:
    for one in snapshot(overlay):
        validate(one, version)


@pytest.mark.parametrize(("overlay", "components"), COMBINATIONS, ids=NAMES)
def test_a_combination_is_valid(tmp_path: Path, overlay: str, components: tuple[str, ...]) -> None:
    known = snapshot(overlay)  # validated above
    found = [one for one in combined(tmp_path, overlay, components) if one not in known]
    assert found
    for version in (VERSIONS[0], VERSIONS[-1]):
        for one in found:
            validate(one, version)


@pytest.mark.parametrize("kind", ["Job", "PyTorchJob", "RayJob"])
def test_an_unknown_field_is_refused(kind: str) -> None:
    name = {"Job": "korbert-corpus", "PyTorchJob": "korbert-pretrain", "RayJob": "korbert-tune"}[kind]
    for place in ("spec", "pod"):
        one = copy.deepcopy(named(snapshot("gpu"), kind, name))
        target = one["spec"] if place == "spec" else next(templates(one))["spec"]
        target["nodeSelektor"] = {}
        with pytest.raises(jsonschema.ValidationError, match="nodeSelektor"):
            validate(one, VERSIONS[0])
