"""A real API server with the operators' definitions looks at every overlay, strictly, and stores nothing of it.

KORBERT_TEST_KUBECONFIG names the cluster; `kubectl apply --server-side -k k8s/operators` has run there. Namespace
`korbert` is made, since a dry run refuses objects of a namespace that is not there yet, and removed if it was made.
Objects of an overlay that lie there make the others fail, whose Jobs and claims differ: delete the namespace first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .real import kubectl, only_with_a_cluster
from .tree import COMBINATIONS, K8S, NAMES, OVERLAYS, combined

OTHERS = {
    "LocalQueue": "localqueues.kueue.x-k8s.io",
    "Cluster": "clusters.postgresql.cnpg.io",
    "ExternalSecret": "externalsecrets.external-secrets.io",
}
pytestmark = only_with_a_cluster


@pytest.fixture(scope="module")
def namespace() -> Iterator[None]:
    """Namespace korbert, for the length of these tests unless it was there before."""
    found = kubectl("get", "namespace", "korbert").returncode == 0
    if not found:
        made = kubectl("apply", "-f", str(K8S / "base" / "namespace.yaml"))
        assert made.returncode == 0, made.stderr
    yield
    if not found:
        kubectl("delete", "namespace", "korbert")  # to its end: the next module makes it again


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_api_server_takes_an_overlay(namespace: None, overlay: str) -> None:
    taken("-k", str(K8S / "overlays" / overlay))


@pytest.mark.parametrize(("overlay", "components"), COMBINATIONS, ids=NAMES)
def test_the_api_server_takes_a_combination(
    namespace: None, tmp_path: Path, overlay: str, components: tuple[str, ...]
) -> None:
    """What other operators read is left out where their definitions are not."""
    missing = {kind for kind, definition in OTHERS.items() if kubectl("get", "crd", definition).returncode}
    found = [one for one in combined(tmp_path, overlay, components) if one["kind"] not in missing]
    taken("-f", "-", stdin=yaml.safe_dump_all(found))


def taken(*words: str, stdin: str | None = None) -> None:
    # A dry run stores nothing, and so takes no field away from whoever has set it (KubeRay its defaults).
    options = ("--dry-run=server", "--validate=strict", "--server-side", "--force-conflicts")
    done = kubectl("apply", *options, *words, stdin=stdin)
    assert done.returncode == 0, done.stderr
    assert "would violate PodSecurity" not in done.stderr
