"""Stage `finetune`: learns what can be learned, repeats itself, survives `kill -9`, refuses bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import korbert
from korbert import storage
from korbert.benchmarks import finetune
from korbert.benchmarks.classifier import load_classifier, predicted
from korbert.benchmarks.material import read_material
from korbert.benchmarks.metrics import accuracy
from korbert.benchmarks.tokens import load_tokenizer
from korbert.chain import Workspace
from korbert.config import Config
from korbert.errors import UsageError
from korbert.tasks import nsmc

DRIVER = """
import sys
from pathlib import Path
from korbert.benchmarks import finetune
from korbert.chain import Workspace
workspace = Workspace(Path(sys.argv[1]))
finetune.run(workspace.load(), workspace)
"""


def scores_of(workspace: Workspace) -> dict[str, Any]:
    return storage.read_json(workspace.path("finetune") / "scores.json")  # type: ignore[no-any-return]


def without_clock(scores: dict[str, Any]) -> dict[str, Any]:
    seeds = [{k: v for k, v in seed.items() if "second" not in k} for seed in scores["seeds"]]
    return {**scores, "seeds": seeds}


def started(workspace: Workspace) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(Path(korbert.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", DRIVER, str(workspace.root)], env=environment)


def test_a_learnable_task_is_learned_and_published(config: Config, workspace: Workspace) -> None:
    manifest = finetune.run(config, workspace)
    scores = scores_of(workspace)
    assert (scores["n_train"], scores["n_validation"], scores["n_test"]) == (360, 40, 150)
    assert scores["majority_baseline"] == pytest.approx(0.6)
    assert scores["mean"] > 0.9
    assert scores["mean"] == pytest.approx(sum(seed["test"] for seed in scores["seeds"]) / 2)
    assert [seed["seed"] for seed in scores["seeds"]] == [1, 2]
    assert manifest.counts["accuracy"] == scores["mean"]
    assert set(manifest.files) >= {"scores.json", "curves.jsonl", "model/model.safetensors", "seeds/1.json"}
    points = list(storage.read_jsonl(workspace.path("finetune") / "curves.jsonl"))
    for seed in scores["seeds"]:
        validation = [p["validation"] for p in points if p["seed"] == seed["seed"] and "validation" in p]
        assert validation == seed["validation"]
        assert seed["best_epoch"] == validation.index(max(validation)) + 1


def test_the_published_model_is_the_best_seeds_and_answers_as_scored(
    config: Config, workspace: Workspace, toy_reviews: Path
) -> None:
    finetune.run(config, workspace)
    folder = workspace.path("finetune") / "model"
    best = max(scores_of(workspace)["seeds"], key=lambda seed: max(seed["validation"]))
    rows = read_material(nsmc.TASK, toy_reviews, load_tokenizer(folder), max_tokens=32, validation=0.1)[
        0
    ].validation_rows(0)
    answers = predicted(load_classifier(folder, nsmc.LABELS, 0.0, 1), rows, 0)
    assert accuracy(answers, rows.labels) == max(best["validation"])


def test_the_best_seeds_answers_are_kept_with_their_texts(config: Config, workspace: Workspace) -> None:
    finetune.run(config, workspace)
    scores = scores_of(workspace)
    best = max(scores["seeds"], key=lambda seed: max(seed["validation"]))
    kept = list(storage.read_jsonl(workspace.path("finetune") / "predictions.jsonl"))
    for split, count, score in (("validation", 40, max(best["validation"])), ("test", 150, best["test"])):
        entries = [entry for entry in kept if entry["split"] == split]
        assert len(entries) == count
        assert sum(entry["gold"] == entry["predicted"] for entry in entries) / count == pytest.approx(score)
    train = nsmc.read(Path(config.finetune.data) / nsmc.TRAIN).texts
    assert all(train[entry["row"] - 1] == entry["text"] for entry in kept if entry["split"] == "validation")
    assert all(entry["probability"] >= 0.5 >= entry["gold_probability"] or entry["gold"] == entry["predicted"]
               for entry in kept)  # fmt: skip
    assert not (workspace.path("finetune") / "model" / "predictions.jsonl").exists()


def test_the_same_config_gives_the_same_scores(config: Config, workspace: Workspace) -> None:
    finetune.run(config, workspace)
    first = without_clock(scores_of(workspace))
    workspace.path("finetune").rename(workspace.root / "first")
    finetune.run(config, workspace)
    assert without_clock(scores_of(workspace)) == first


def test_a_fresh_artefact_is_not_made_again(config: Config, workspace: Workspace) -> None:
    short = replace(config, finetune=replace(config.finetune, epochs=1, seeds=(1,), train_limit=20))
    first = finetune.run(short, workspace)
    assert finetune.run(short, workspace) == first
    assert scores_of(workspace)["std"] is None
    assert scores_of(workspace)["n_train"] == 20
    assert scores_of(workspace)["n_validation"] == 2


def test_after_kill_9_the_finished_seed_is_kept_and_the_run_completed(config: Config, workspace: Workspace) -> None:
    long = replace(config, finetune=replace(config.finetune, epochs=2, batch=8, seeds=(1, 2, 3)))
    workspace.save(long)
    record = workspace.path("finetune") / "seeds" / "1.json"
    driver = started(workspace)
    while not record.exists():
        assert driver.poll() is None
        time.sleep(0.01)
    driver.send_signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    assert storage.read_manifest(workspace.path("finetune")) is None
    before = (record.stat().st_mtime_ns, record.read_bytes())
    finetune.run(long, workspace)
    assert (record.stat().st_mtime_ns, record.read_bytes()) == before
    scores = scores_of(workspace)
    assert [seed["seed"] for seed in scores["seeds"]] == [1, 2, 3]
    folders = {path.name for path in workspace.path("finetune").iterdir() if path.is_dir()}
    assert folders == {"seeds", "model"}


@pytest.mark.parametrize("name", [nsmc.TRAIN, nsmc.TEST])
def test_a_bad_line_is_refused_before_anything_is_written(
    config: Config, workspace: Workspace, toy_reviews: Path, tmp_path: Path, name: str
) -> None:
    for file in toy_reviews.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes() + (b"999\tx\t7\n" if file.name == name else b""))
    bad = replace(config, finetune=replace(config.finetune, data=str(tmp_path)))
    with pytest.raises(UsageError, match=rf"{name} row \d+: label '7'"):
        finetune.run(bad, workspace)
    assert not workspace.path("finetune").exists()


def test_a_missing_folder_is_refused(config: Config, workspace: Workspace, tmp_path: Path) -> None:
    bad = replace(config, finetune=replace(config.finetune, data=str(tmp_path / "nowhere")))
    with pytest.raises(UsageError, match="nowhere"):
        finetune.run(bad, workspace)


def test_a_run_that_diverges_names_the_rate_and_scores_nothing(config: Config, workspace: Workspace) -> None:
    bold = replace(config, finetune=replace(config.finetune, lr=1e30, warmup=0.0))
    with pytest.raises(UsageError, match=r"finetune.lr = 1e\+30"):
        finetune.run(bold, workspace)
    assert not (workspace.path("finetune") / "scores.json").exists()


def test_the_cut_and_the_repeated_are_counted(
    config: Config, workspace: Workspace, toy_reviews: Path, tmp_path: Path
) -> None:
    train = (toy_reviews / nsmc.TRAIN).read_text(encoding="utf-8")
    (tmp_path / nsmc.TRAIN).write_text(train + f"900\t{'정말 ' * 60}\t1\n901\t\t0\n902\t같은 글\t1\n", encoding="utf-8")
    test = "\t".join(nsmc.COLUMNS) + f"\n1\t같은 글\t1\n2\t{'최악 ' * 60}\t0\n3\t새 글\t0\n"
    (tmp_path / nsmc.TEST).write_text(test, encoding="utf-8")
    odd = replace(config.finetune, data=str(tmp_path), epochs=1, seeds=(1,))
    counts = finetune.run(replace(config, finetune=odd), workspace).counts
    assert (counts["cut_rows"], counts["empty_documents"], counts["test_texts_also_in_train"]) == (2, 1, 1)
    assert json.dumps(counts)
