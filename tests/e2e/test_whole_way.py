"""The whole way in real processes, undisturbed and under `kill -9`: the same articles, no sample lost or repeated."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoModelForMaskedLM, AutoTokenizer

from korbert.chain import CHAIN, Workspace
from korbert.storage import damage

# A limit for what must happen at all, on a machine that others use too.
PATIENCE = 300.0
# A model that learns nothing in no time; every stage does its real work.
QUICK = (
    "crawl.queries=정부", "crawl.since=2016-01", "crawl.until=2025-12", "crawl.lease_seconds=30",
    "tokenizer.vocab_size=2000", "tokenizer.limit_alphabet=1500",
    "model.layers=1", "model.hidden=32", "model.heads=2", "model.intermediate=64",
    "training.epochs=4", "training.global_batch=16", "training.checkpoint_every=20", "training.log_every=5",
    "finetune.seeds=1,2", "finetune.epochs=1", "tune.trials=2", "tune.epochs=1", "tune.train_limit=100",
)  # fmt: skip


class Run:
    """`korbert run demo` with the quick settings in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = Workspace(folder / "runs" / "demo")
        # The fixtures' server is another one: this run starts its own.
        self._environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | {"OMP_NUM_THREADS": "1"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        settings = [text for setting in QUICK for text in ("--set", setting)]
        command = [sys.executable, "-m", "korbert", "run", "demo", *settings, *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=self._environment, text=True,
            stdout=subprocess.PIPE, stderr=(self.folder / "stderr").open("w"),
        )  # fmt: skip

    def finish(self, *arguments: str) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, (self.folder / "stderr").read_text()
        return output

    def processes(self, *words: str) -> list[int]:
        """Living processes of this run, with all the words in their command lines."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
                place = os.readlink(entry / "cwd")
            except OSError:
                continue
            if (str(self.folder) in line or place == str(self.folder)) and all(word in line for word in words):
                found.append(int(entry.name))
        return found

    def json(self, stage: str, name: str) -> dict[str, object]:
        content: dict[str, object] = json.loads((self.workspace.path(stage) / name).read_text())
        return content


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, "the run ended before it could be disturbed"
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    run = Run(tmp_path_factory.mktemp("undisturbed"))
    return run, run.finish()


@pytest.mark.timeout(600)
def test_one_command_goes_from_http_to_a_score_and_a_page(undisturbed: tuple[Run, str]) -> None:
    run, output = undisturbed
    for stage in CHAIN:
        manifest = run.workspace.manifest(stage.name)
        assert damage(run.workspace.path(stage.name), manifest, checksums=True) == ""
        assert f"{stage.name:<10} fresh" in output
    assert "nsmc accuracy: 0." in output
    curves = run.workspace.path("pretrain") / "curves.png"
    assert f"\ncurves: {curves.relative_to(run.folder)}\n" in output
    assert curves.read_bytes().startswith(b"\x89PNG")
    assert run.json("crawl", "summary.json")["articles"] == 304
    assert "<html" in (run.folder / "report" / "index.html").read_text()
    assert list((run.folder / "report").glob("*.png"))


@pytest.mark.timeout(600)
def test_the_same_command_again_does_nothing_and_says_so(undisturbed: tuple[Run, str]) -> None:
    run, _ = undisturbed
    before = {stage.name: run.workspace.manifest(stage.name) for stage in CHAIN}
    output = run.finish()
    assert output.count(" skipped ") == len(CHAIN)
    assert {stage.name: run.workspace.manifest(stage.name) for stage in CHAIN} == before


@pytest.mark.timeout(600)
def test_the_export_loads_in_transformers_and_fills_a_mask(undisturbed: tuple[Run, str]) -> None:
    folder = undisturbed[0].workspace.path("export")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForMaskedLM.from_pretrained(folder, local_files_only=True)
    inputs = tokenizer("시민들은 [MASK] 말했다.", return_tensors="pt")
    assert int(inputs["input_ids"][0, 0]) == tokenizer.cls_token_id
    assert model(**inputs).logits.shape[-1] == len(tokenizer)


@pytest.mark.timeout(900)
def test_killed_crawler_database_worker_and_run_change_nothing(undisturbed: tuple[Run, str], tmp_path: Path) -> None:
    run, slow = Run(tmp_path), ("--to", "pretrain", "--set", "crawl.delay=0.02", "--set", "crawl.concurrency=2")

    # 1. The crawler, in mid-run: the command fails in one line; its lease and articles stay in the database.
    process = run.start(*slow)
    wait_for(lambda: run.processes("crawler crawl"), process)
    time.sleep(3)
    for pid in run.processes("crawler crawl"):
        os.kill(pid, signal.SIGKILL)
    assert process.wait(PATIENCE) == 1
    assert "ended by SIGKILL; run the same command again to go on" in (run.folder / "stderr").read_text()

    # 2. Postgres, in mid-crawl.
    process = run.start(*slow)
    wait_for(lambda: run.processes("crawler crawl"), process)
    time.sleep(3)
    os.kill(_postmaster(run), signal.SIGKILL)
    assert process.wait(PATIENCE) == 1
    assert "Traceback" not in (run.folder / "stderr").read_text()

    # 3. A training worker, then the whole run, in mid-training.
    process = run.start("--to", "pretrain")
    audit_log = run.workspace.path("pretrain") / "audit"
    wait_for((audit_log / "attempt-0-rank-0.jsonl").exists, process)
    os.kill(_workers(run)[0], signal.SIGKILL)
    wait_for((audit_log / "attempt-1-rank-0.jsonl").exists, process)
    process.kill()
    process.wait()

    run.finish()
    expected = undisturbed[0]
    assert run.json("crawl", "summary.json")["digest"] == expected.json("crawl", "summary.json")["digest"]
    assert run.workspace.manifest("tokens").digest == expected.workspace.manifest("tokens").digest
    audit = run.json("pretrain", "summary.json")["audit"]
    assert isinstance(audit, dict)
    assert audit["clean"]
    assert audit["attempts"] >= 3
    assert audit["epochs"] == 4
    assert audit["samples"] == expected.json("pretrain", "summary.json")["samples"]
    printed = subprocess.run(
        [sys.executable, "-m", "korbert", "data", "audit", str(run.workspace.root)], capture_output=True, text=True
    )
    assert printed.returncode == 0
    assert "lost: 0\nrepeated: 0" in printed.stdout


def _workers(run: Run) -> list[int]:
    agents = run.processes("torch.distributed.run")
    # The agents have the workers' words in their command lines too; the store has no workspace.
    return [pid for pid in run.processes("korbert.training", "--workspace") if pid not in agents]


def _postmaster(run: Run) -> int:
    """Process id of the run's own server, as its data folder says."""
    place = Path(json.loads((run.workspace.root / "postgres.json").read_text())["data"])
    return int((place / "data" / "postmaster.pid").read_text().split()[0])
