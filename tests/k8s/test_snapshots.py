"""The snapshots are what kubectl makes of the tree. Write them anew: KORBERT_WRITE_SNAPSHOTS=1 pytest tests/k8s."""

from __future__ import annotations

import os

import pytest
import yaml

from .tree import K8S, OVERLAYS, SNAPSHOTS, kustomize, objects, snapshot


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_snapshot_is_what_the_tree_renders_to(overlay: str) -> None:
    rendered = kustomize(K8S / "overlays" / overlay)
    if os.environ.get("KORBERT_WRITE_SNAPSHOTS"):
        (SNAPSHOTS / f"{overlay}.yaml").write_text(rendered)
    assert objects(rendered) == snapshot(overlay)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_of_the_base_is_in_the_snapshot(overlay: str) -> None:
    """Without kubectl too: a file that was added to the base shows that the snapshots are old."""
    there = {(one["kind"], one["metadata"]["name"]) for one in snapshot(overlay)}
    for file in (K8S / "base").rglob("*.yaml"):
        if file.name != "kustomization.yaml":
            (one,) = objects(file.read_text())
            assert (one["kind"], one["metadata"]["name"]) in there, file


def test_every_file_of_the_tree_is_in_a_kustomization() -> None:
    for file in sorted(K8S.rglob("*.*")):
        if file.name not in ("kustomization.yaml", "README.md"):
            listing = yaml.safe_load((file.parent / "kustomization.yaml").read_text())
            assert file.name in str(listing), file


def test_operators_are_pinned_by_release() -> None:
    listing = yaml.safe_load((K8S / "operators" / "kustomization.yaml").read_text())
    assert [name.partition("?ref=")[2] for name in listing["resources"]] == ["v1.9.4", "v1.7.0"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_thin(overlay: str) -> None:
    """Size, place and patches only: nothing is made by an overlay itself."""
    listing = yaml.safe_load((K8S / "overlays" / overlay / "kustomization.yaml").read_text())
    assert listing["resources"] == ["../../base"]
