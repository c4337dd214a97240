"""skaffold.yaml: the fields of schema skaffold/v4beta14 that we use, and what the manifests need of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
PROFILES: dict[str, dict[str, Any]] = {profile["name"]: profile for profile in CONFIG["profiles"]}


def _artifacts(profile: str) -> list[dict[str, Any]]:
    build = PROFILES[profile].get("build") or CONFIG["build"]
    return list(build["artifacts"])


def test_the_schema_is_the_one_of_skaffold_2_24() -> None:
    assert (CONFIG["apiVersion"], CONFIG["kind"]) == ("skaffold/v4beta14", "Config")
    assert CONFIG.keys() <= {
        "apiVersion", "kind", "metadata", "build", "manifests", "deploy", "resourceSelector", "profiles",
    }  # fmt: skip


def test_there_is_a_profile_an_overlay() -> None:
    paths = {name: profile["manifests"]["kustomize"]["paths"] for name, profile in PROFILES.items()}
    assert paths == {name: [f"k8s/overlays/{name}"] for name in ("local", "gpu", "tpu", "dev")}


def test_image_substitution_reaches_custom_resources() -> None:
    allowed = {rule["groupKind"]: rule for rule in CONFIG["resourceSelector"]["allow"]}
    assert allowed.keys() == {"PyTorchJob.kubeflow.org", "RayJob.ray.io"}
    assert all(rule["image"] == [".*"] for rule in allowed.values())


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_artifact_has_its_dockerfile_and_what_it_requires_is_built_too(profile: str) -> None:
    names = [artifact["image"] for artifact in _artifacts(profile)]
    for artifact in _artifacts(profile):
        file = ROOT / artifact["docker"]["dockerfile"]
        assert file.parent.name == artifact["image"].removeprefix("korbert-")
        for required in artifact.get("requires", []):
            assert required["image"] in names
            assert f"ARG {required['alias']}=" in file.read_text()


def test_the_tpu_profile_builds_the_tpu_image_and_the_others_do_not() -> None:
    builds = {name: {artifact["image"] for artifact in _artifacts(name)} for name in PROFILES}
    assert [name for name, images in builds.items() if "korbert-train-tpu" in images] == ["tpu"]


def test_custom_resource_definitions_over_the_annotation_limit_are_applied_by_the_server() -> None:
    assert "--server-side" in CONFIG["deploy"]["kubectl"]["flags"]["apply"]
