"""`korbert cluster` run as a command against a local API server."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from korbert.__main__ import main

from .api_server import Cluster, complete, kubeconfig, serving


@dataclass(frozen=True)
class Done:
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def cluster() -> Cluster:
    """A cluster that lacks nothing; tests take away from it."""
    return complete()


@pytest.fixture
def korbert(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Done]]:
    """Runs `korbert cluster WORDS` against the cluster."""
    with serving(cluster) as url:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, url)))
        yield run


def run(*words: str) -> Done:
    """Runs `korbert cluster WORDS`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["cluster", *words])
    return Done(code, out.getvalue(), err.getvalue())
