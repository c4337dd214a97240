"""Workspaces with a small store of tokens, and one undisturbed training by two real workers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from korbert.chain import Workspace
from korbert.config import (
    Config,
    DataConfig,
    FinetuneConfig,
    ModelConfig,
    TrackingConfig,
    TrainingConfig,
    overridden,
)
from korbert.data.shard_writer import write_store
from korbert.data.shards import Sentence, Special
from korbert.storage import Plan, publishing
from korbert.training import launch

# One layer of width 32, 300 tokens of vocabulary: a step takes milliseconds. 300 documents make some 500 samples.
CONFIG = Config(
    recipe="test",
    data=DataConfig(max_tokens=32),
    model=ModelConfig(layers=1, hidden=32, heads=2, intermediate=64, max_positions=32, dropout=0.1),
    training=TrainingConfig(
        global_batch=16, row_tokens=64, rows_per_micro_batch=2, lr=3e-3, log_every=1, checkpoint_every=5, max_steps=26
    ),
    finetune=FinetuneConfig(max_tokens=32),
    tracking=TrackingConfig(mode="disabled"),
)

# Tests run side by side: more threads than cores would make each of these small steps wait.
torch.set_num_threads(1)

MakeWorkspace = Callable[..., tuple[Config, Workspace]]


def _document(rng: np.random.Generator) -> list[Sentence]:
    lengths = rng.integers(1, 12, rng.integers(1, 10))
    tokens = [np.minimum(5 + rng.geometric(0.1, n), 299).astype(np.uint16) for n in lengths]
    return [Sentence(t, rng.random(len(t)) < 0.4) for t in tokens]


def build(root: Path, *assignments: str, documents: int = 300) -> tuple[Config, Workspace]:
    """A workspace whose tokens have been published, and CONFIG with the assignments."""
    workspace, rng = Workspace(root), np.random.default_rng(1)
    config = overridden(CONFIG, assignments)
    with publishing(Plan("tokens", workspace.path("tokens"), 1, {}, {})) as draft:
        texts = (_document(rng) for _ in range(documents))
        write_store(draft.path, texts, vocab_size=300, special=Special(0, 1, 2, 3, 4), shard_tokens=4000)
    workspace.save(config)
    return config, workspace


@pytest.fixture(scope="session")
def builder() -> MakeWorkspace:
    """`build` itself, for fixtures of a wider scope than a test's."""
    return build


@pytest.fixture
def make_workspace(tmp_path: Path) -> MakeWorkspace:
    """Builds workspaces under the test's folder; arguments as `build`'s."""

    def make(*assignments: str, documents: int = 300) -> tuple[Config, Workspace]:
        return build(tmp_path / f"workspace-{len(list(tmp_path.iterdir()))}", *assignments, documents=documents)

    return make


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A training without dropout by two real worker processes, that nothing has disturbed."""
    config, workspace = build(tmp_path_factory.mktemp("undisturbed"), "model.dropout=0.0")
    launch.run(config, workspace)
    return workspace


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a local server that speaks S3."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a bucket of the test's own; child processes reach it too."""
    s3fs = pytest.importorskip("s3fs")
    told = {"ENDPOINT_URL": s3_server, "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}
    for name, value in (told | {"DEFAULT_REGION": "us-east-1"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    s3fs.S3FileSystem.clear_instance_cache()
    name = f"bucket-{abs(hash(tmp_path)):x}"
    s3fs.S3FileSystem(use_listings_cache=False).mkdir(name)
    return f"s3://{name}"
