"""Bad configs by the real command: one line, exit code 2, nothing written, and no process was started for them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from korbert import recipes
from korbert.chain import Workspace
from korbert.config import overridden
from korbert.data.shard_writer import write_store
from korbert.data.shards import Sentence, Special
from korbert.model.build import build
from korbert.storage import Plan, publishing, read_manifest
from korbert.training.export import write_model

# The command itself, in a process that tells of every process it starts.
COMMAND = """
import os, sys

def told(event, arguments):
    if event in ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.system"):
        os.write(1, f"{event} {arguments[0]}\\n".encode())

sys.addaudithook(told)
from korbert.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
VOCABULARY = 300
# A model of the tokens below that takes no time.
SHAPE = (
    "model.layers=1",
    "model.hidden=32",
    "model.heads=2",
    "model.intermediate=64",
    "training.max_steps=3",
    "training.workers=1",
)


def _options(settings: tuple[str, ...]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def _command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments], cwd=cwd, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def _refused(*arguments: str, cwd: Path, written: bool = False) -> str:
    """What the command says of a bad config."""
    before = _files(cwd)
    done = _command(*arguments, cwd=cwd)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("korbert: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert written or _files(cwd) == before
    return done.stderr


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder: `SHAPE`, a vocabulary of VOCABULARY entries."""
    shape = overridden(recipes.tiny(), SHAPE).model
    write_model(tmp_path / "model", build(shape, VOCABULARY).state_dict(), shape)
    return tmp_path / "model"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a tokenizer and tokens made with it."""
    made, rng = Workspace(tmp_path / "run"), np.random.default_rng(1)
    made.save(overridden(recipes.tiny(), SHAPE))
    _tokenizer(made, "one")
    tokenizer = made.manifest("tokenizer").digest
    with publishing(Plan("tokens", made.path("tokens"), 2, {"tokenizer": tokenizer}, {})) as draft:
        documents = [
            [Sentence(rng.integers(5, VOCABULARY, 9).astype(np.uint16), rng.random(9) < 0.4) for _ in range(6)]
            for _ in range(99)
        ]
        write_store(draft.path, documents, vocab_size=VOCABULARY, special=Special(0, 1, 2, 3, 4), shard_tokens=9999)
    return made


def _tokenizer(workspace: Workspace, content: str) -> None:
    with publishing(Plan("tokenizer", workspace.path("tokenizer"), 2, {}, {"kind": content})) as draft:
        (draft.path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {content: 0}}}))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("training.global_batch=0",), "training.global_batch = 0: must be at least 1"),
        (
            ("training.global_batch=3", "training.workers=4"),
            "training.workers = 4: must not pass training.global_batch",
        ),
        (("training.row_tokens=64",), "data.max_tokens = 128: must fit model.max_positions = 128 and training.row_tok"),
        (("training.device=gpu",), "training.device = 'gpu': must be one of: auto, cpu, cuda, tpu"),
        (("training.device=cuda",), "training.device = 'cuda': worker 0 of this machine finds 0 CUDA devices; set"),
        (("training.device=tpu",), "training.device = 'tpu': torch-tpu and torch-xla are not installed; pip install"),
        (("training.precision=fp16",), "training.precision = 'fp16': must be one of: auto, fp32, bf16"),
        (("model.heads=3",), "model.heads = 3: must divide model.hidden = 128"),
        (("model.size=large", "model.layers=24000"), "GiB for weights, gradients and optimiser, this machine has"),
        (("training.start=model",), "another shape than model.* says; start with it by: --set model.layers=1 --set"),
        (("training.start=nowhere",), "training.start = 'nowhere': is no model's folder (no config.json in it)"),
    ],
)
def test_a_run_that_is_bound_to_fail_is_refused_before_anything_starts(
    model: Path, settings: tuple[str, ...], message: str
) -> None:
    assert message in _refused("run", "tiny", *_options(settings), cwd=model.parent)


def test_a_start_whose_arithmetic_is_not_ours_is_refused_by_its_field(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    said = _refused("run", "tiny", *_options((*SHAPE, f"training.start={model}")), cwd=model.parent)
    assert "hidden_act = 'relu': must be 'gelu'" in said


@pytest.mark.parametrize("command", ["run", "stage"])
def test_tokens_of_another_tokenizer_are_refused(workspace: Workspace, command: str) -> None:
    _tokenizer(workspace, "two")
    arguments = ["run", "tiny", "--from", "pretrain", *_options(SHAPE)] if command == "run" else ["stage", "pretrain"]
    said = _refused(*arguments, "--workspace", str(workspace.root), cwd=workspace.root)
    assert "was made with another tokenizer than" in said
    assert said.endswith("run: korbert run RECIPE --from tokens\n")


@pytest.mark.parametrize(("entries", "message"), [(310, "has 310 entries"), (VOCABULARY, "its vocabulary is not that")])
def test_a_start_of_another_vocabulary_is_refused(workspace: Workspace, entries: int, message: str) -> None:
    config = workspace.load()
    write_model(workspace.root / "model", build(config.model, entries).state_dict(), config.model)
    (workspace.root / "model" / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"other": 0}}}))
    workspace.save(overridden(config, [f"training.start={workspace.root / 'model'}"]))
    assert message in _refused("stage", "pretrain", "--workspace", str(workspace.root), cwd=workspace.root)


def test_a_checkpoint_of_another_model_is_refused_before_a_worker_starts(workspace: Workspace) -> None:
    config = overridden(workspace.load(), [f"training.checkpoint_url=file://{workspace.root / 'elsewhere'}"])
    workspace.save(config)
    assert _command("stage", "pretrain", "--workspace", str(workspace.root), cwd=workspace.root).returncode == 0
    workspace.save(overridden(config, ["model.layers=2"]))
    said = _refused("stage", "pretrain", "--workspace", str(workspace.root), cwd=workspace.root, written=True)
    assert "model.layers = 2" in said
    assert "use that value, or train in another --workspace" in said
    assert read_manifest(workspace.path("pretrain")) is None


def test_weights_that_fit_but_may_not_leave_room_are_only_warned_of(workspace: Workspace) -> None:
    workspace.save(overridden(workspace.load(), ["training.rows_per_micro_batch=100000000"]))
    done = _command("stage", "pretrain", "--workspace", str(workspace.root), cwd=workspace.root)
    assert done.returncode == 0
    assert "for a micro-batch; this machine has" in done.stderr
    assert "a smaller training.rows_per_micro_batch needs less" in done.stderr
