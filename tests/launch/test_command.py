"""The `torchx` command itself, in a folder of its own, with the entry points that this checkout declares.

`KORBERT_TEST_TORCHX` may name the Python of an environment with another torchx (a nightly): it is tested too.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from korbert.chain import Workspace

ROOT = Path(__file__).parents[2]
OTHER = os.environ.get("KORBERT_TEST_TORCHX")
# A model that learns nothing in no time; every stage does its real work.
QUICK = (
    "tokenizer.vocab_size=2000", "tokenizer.limit_alphabet=1500",
    "model.layers=1", "model.hidden=32", "model.heads=2", "model.intermediate=64",
    "training.epochs=1", "training.global_batch=16", "training.checkpoint_every=20",
)  # fmt: skip
PYTHONS = [
    pytest.param(sys.executable, id="installed"),
    pytest.param(OTHER, id="other", marks=pytest.mark.skipif(not OTHER, reason="KORBERT_TEST_TORCHX names no Python")),
]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The metadata that `pip install` would write of this checkout, whatever is installed here."""
    folder = tmp_path / "site/korbert-0.dist-info"
    folder.mkdir(parents=True)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    lines = [line for group, own in groups.items() for line in (f"[{group}]", *(f"{k} = {v}" for k, v in own.items()))]
    (folder / "entry_points.txt").write_text("\n".join(lines))
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: korbert\nVersion: 0\n")
    return folder.parent


def _torchx(python: str, installed: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    start = "import sys; from torchx.cli.main import main; main(sys.argv[1:])"
    return subprocess.run(
        [python, "-c", start, *words],
        cwd=installed.parent,
        env={
            **os.environ,
            "PATH": f"{Path(python).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{installed}:{ROOT}",
            "TORCHXCONFIG": str(ROOT / ".torchxconfig"),
            "KUBECONFIG": str(installed / "none"),
            **environment,
        },
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("python", PYTHONS)
def test_torchx_shows_our_components_beside_its_own(python: str, installed: Path) -> None:
    shown = _torchx(python, installed, "builtins").stdout
    for name in ("korbert.crawl", "korbert.pretrain", "korbert.finetune", "korbert.tune", "dist.ddp", "utils.sh"):
        assert f" {name}\n" in f"{shown}\n"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("source", ["3", "1"], ids=["entry-point", "namespace-package"])
def test_torchx_knows_the_scheduler_by_either_registration(python: str, source: str, installed: Path) -> None:
    """0.7 has entry points alone and heeds no such variable."""
    answer = _torchx(python, installed, "runopts", "kubeflow", TORCHX_PLUGINS_SOURCE=source)
    assert "max_replicas=MAX_REPLICAS" in answer.stdout, answer.stderr
    assert "registered via both" not in answer.stderr


@pytest.mark.parametrize("python", PYTHONS)
def test_torchx_keeps_its_own_schedulers(python: str, installed: Path) -> None:
    shown = _torchx(python, installed, "run", "--help").stdout
    for name in ("local_cwd", "local_docker", "kubernetes", "slurm", "kubeflow"):
        assert re.search(rf"[{{,]{name}[,}}]", shown)


@pytest.mark.parametrize("python", PYTHONS)
def test_where_no_scheduler_is_named_an_app_runs_on_this_machine(python: str, installed: Path) -> None:
    """torchx takes the first of its list, whose order the installer chooses; `.torchxconfig` says which."""
    answer = _torchx(python, installed, "run", "--dryrun", "korbert.pretrain")
    assert "stdout.log" in answer.stdout, answer.stderr  # a process of this machine


@pytest.mark.parametrize("python", PYTHONS)
def test_a_dry_run_prints_the_manifest(python: str, installed: Path) -> None:
    words = ("run", "--dryrun", "-s", "kubeflow", "-cfg", "name=first,secrets=A:b:c;D:e:f,queue=q")
    answer = _torchx(python, installed, *words, "korbert.pretrain", "--nodes", "1:4", "--gpu", "2")
    assert "kind: PyTorchJob" in answer.stdout, answer.stderr
    for text in ("nprocPerNode: '2'", "maxReplicas: 4", "name: D", "kueue.x-k8s.io/queue-name: q"):
        assert text in answer.stdout


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "-s", "kubeflow", "korbert.pretrain"), "no cluster: there is no usable kubeconfig"),
        (("run", "korbert.pretrain", "--recipe", "huge"), "recipe 'huge': there is no such recipe"),
        (("run", "korbert.pretrain", "--nodes", "4:1"), "--nodes '4:1': must be a number like 4"),
        (("run", "korbert.pretrain", "--nodes", "2", "--limit", "9"), "--limit 9: several nodes train what"),
        (("list", "-s", "kubeflow"), "no cluster: there is no usable kubeconfig"),
        (("status", "kubeflow://torchx/korbert:first"), "no cluster: there is no usable kubeconfig"),
        (("log", "kubeflow://torchx/korbert:first"), "no cluster: there is no usable kubeconfig"),
    ],
    ids=["submit", "recipe", "nodes", "options", "list", "status", "log"],
)
def test_what_goes_wrong_is_one_line_without_a_stack(
    python: str, words: tuple[str, ...], said: str, installed: Path
) -> None:
    answer = _torchx(python, installed, *words)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    own = [line for line in answer.stderr.splitlines() if line.startswith("korbert: ")]
    assert len(own) == 1
    assert said in own[0]


@pytest.mark.parametrize("python", PYTHONS)
def test_a_replica_without_a_log_is_one_line_beside_the_log_of_another(
    python: str, installed: Path, api: Any, tmp_path: Path
) -> None:
    """torchx reads each replica in a thread of its own."""
    there = {"KUBECONFIG": str(tmp_path / "kubeconfig")}
    words = ("--image", "korbert:0", "--num_replicas", "2", "true")
    submitted = _torchx(python, installed, "run", "-s", "kubeflow", "-cfg", "name=first", "utils.sh", *words, **there)
    api.say(api.pod("first", 0, "Failed"), "2026-11-22T10:00:00Z begun")
    api.condition("first", "Failed")
    done = _torchx(python, installed, "log", submitted.stdout.split()[-1], **there)
    assert (done.returncode, done.stdout) == (1, "sh/0 begun\n")
    assert [line for line in done.stderr.splitlines() if "first-worker-1" in line] == done.stderr.splitlines()[-1:]
    assert "Traceback" not in done.stderr


def test_pretraining_runs_here_to_its_audit(installed: Path) -> None:
    folder = installed.parent
    articles = (ROOT / "crawler/newsroom/articles.jsonl").read_text().splitlines()[:400]
    (folder / "articles.jsonl").write_text("\n".join(articles))
    words = ("--recipe", "tiny", "--corpus", "articles.jsonl", "--settings", ",".join(QUICK))
    answer = _torchx(sys.executable, installed, "run", "-s", "local_cwd", "korbert.pretrain", *words)
    assert answer.returncode == 0, answer.stderr
    assert "audit: clean: no sample lost, none repeated" in answer.stderr
    assert Workspace(folder / "runs/tiny").manifest("pretrain").counts["steps"] > 10
