"""A real API server with the operators' definitions looks at every overlay, strictly, and stores nothing of it.

KORBERT_TEST_KUBECONFIG names the cluster; `kubectl apply --server-side -k k8s/operators` has run there. Namespace
`korbert` is made, since a dry run refuses objects of a namespace that is not there yet, and removed if it was made.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from .tree import K8S, OVERLAYS

KUBECONFIG = os.environ.get("KORBERT_TEST_KUBECONFIG", "")
pytestmark = pytest.mark.skipif(not KUBECONFIG, reason="KORBERT_TEST_KUBECONFIG names no cluster")


def kubectl(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["kubectl", f"--kubeconfig={KUBECONFIG}", *words], capture_output=True, text=True)


@pytest.fixture(scope="module")
def namespace() -> Iterator[None]:
    """Namespace korbert, for the length of these tests unless it was there before."""
    found = kubectl("get", "namespace", "korbert").returncode == 0
    if not found:
        made = kubectl("apply", "-f", str(K8S / "base" / "namespace.yaml"))
        assert made.returncode == 0, made.stderr
    yield
    if not found:
        kubectl("delete", "namespace", "korbert", "--wait=false")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_api_server_takes_an_overlay(namespace: None, overlay: str) -> None:
    folder = str(K8S / "overlays" / overlay)
    done = kubectl("apply", "--dry-run=server", "--validate=strict", "--server-side", "-k", folder)
    assert done.returncode == 0, done.stderr
    assert "would violate PodSecurity" not in done.stderr
