"""Fixtures of all tests: the folder of real data, and databases on one real server that all workers share."""

import json
import os
import shutil
import statistics
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from hypothesis import HealthCheck, settings

from korbert.db.connection import connect
from korbert.db.embedded import database
from korbert.db.locks import file_lock
from korbert.db.migrate import migrate

TEMPLATE = "korbert_template"
SHARED_DATA = Path(__file__).parents[1] / "../shared/data"
MEMORY_BYTES = 4_000_000_000

# No test is timed: the machine may be busy with other work.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_folder = ""


def pytest_configure(config: pytest.Config) -> None:
    """Gives the run a folder for the data of its servers; parallel workers inherit it by the environment.

    It lies in the temporary folder itself, because pytest's own folders are closed to the account that runs the server
    for root; or in memory where there is plenty, because servers flush to disk at every commit.
    """
    global _folder
    if not hasattr(config, "workerinput"):
        _folder = tempfile.mkdtemp(prefix="korbert-tests-", dir=_memory())
        os.chmod(_folder, 0o755)
        os.environ["KORBERT_PG_DATA"] = _folder


def _memory() -> str | None:
    shm = Path("/dev/shm")
    return str(shm) if shm.is_dir() and shutil.disk_usage(shm).free > MEMORY_BYTES else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes it when all workers have ended."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(_folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; the test is skipped where there is none."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no folder of real data beside the checkout")
    return SHARED_DATA.resolve()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A real server (`DATABASE_URL` where it is set) that holds a migrated template database."""
    folder = Path(os.environ["KORBERT_PG_DATA"])
    with database(folder / "home") as url:
        with file_lock(folder / "template.lock"):
            _make_template(url)
        yield url


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """A migrated database of this test's own."""
    name = f"test_{uuid.uuid4().hex}"
    _execute(server_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield _named(server_url, name)
    _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg2.extensions.connection]:
    """A connection to `database_url`."""
    opened = connect(database_url)
    yield opened
    opened.close()


def _named(url: str, database_name: str) -> str:
    return urlsplit(url)._replace(path=f"/{database_name}").geturl()


def _execute(url: str, statement: str) -> list[tuple[object, ...]]:
    opened = connect(url)
    try:
        opened.autocommit = True  # CREATE DATABASE refuses to run inside a transaction
        with opened.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        opened.close()


def _make_template(url: str) -> None:
    if not _execute(url, f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'"):
        _execute(url, f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'")
    opened = connect(_named(url, TEMPLATE))
    migrate(opened)
    opened.close()


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like stage `export`'s: a BERT of one layer and width 32, not trained, with a tokenizer of reviews.

    The same in every process: our trainer's vocabulary is, that of the tokenizers library is not.
    """
    import torch
    from transformers import BertConfig, BertForPreTraining

    from korbert.chain import shipped_nsmc
    from korbert.config import TokenizerConfig
    from korbert.tasks import nsmc
    from korbert.tokenizer.counting import Counted
    from korbert.tokenizer.train import save, train

    folder = tmp_path_factory.mktemp("encoder")
    texts = nsmc.read(shipped_nsmc() / nsmc.TRAIN).texts
    counted = Counted(Counter(word for text in texts for word in text.split()), len(texts), sum(map(len, texts)))
    tokenizer = train(counted, TokenizerConfig(vocab_size=1_000, limit_alphabet=800))
    save(tokenizer, folder)
    torch.manual_seed(0)  # whether a task is learned must not be a matter of luck
    BertForPreTraining(
        BertConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
    ).save_pretrained(folder)
    return folder


@pytest.fixture
def make_scores(tmp_path: Path) -> Callable[..., Path]:
    """Writes what a finetune artefact holds for a report, under a folder of the task's name; answers the folder."""

    def make(
        task: str, metric: str, tests: list[float], n_test: int, *, also: dict[str, float] | None = None,
        predictions: list[dict[str, Any]] | None = None, place: str = "scores", **more: Any,
    ) -> Path:  # fmt: skip
        folder, also = tmp_path / place / task, also or {}
        folder.mkdir(parents=True)
        seeds = [
            {"seed": number, "validation": [0.5, 0.5 + number / 100], "test": test, "also": also}
            for number, test in enumerate(tests, 1)
        ]
        scores = {
            "task": task, "metric": metric, "n_train": 900, "n_validation": 100, "n_test": n_test, "seeds": seeds,
            "mean": statistics.fmean(tests), "std": statistics.stdev(tests) if len(tests) > 1 else None,
            "also": {name: {"mean": value, "std": None} for name, value in also.items()}, "majority_baseline": 0.5,
            "baseline_is": "always guessing the larger class", "remark": "", "licence": "CC0-1.0",
            "source": "https://example.org/data",
        }  # fmt: skip
        (folder / "scores.json").write_text(json.dumps(scores | more), encoding="utf-8")
        if predictions is not None:
            lines = [json.dumps(entry, ensure_ascii=False) for entry in predictions]
            (folder / "predictions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return make
