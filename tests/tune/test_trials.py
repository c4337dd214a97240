"""Trials of a real sweep: killed one by one, over several encoders and tasks, tracked, and with weights exchanged."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import korbert
from korbert import storage
from korbert.tasks import ner
from tune.__main__ import main

QUICK = ("finetune.max_tokens=32", "tune.train_limit=0", "tune.validation_limit=0", "tune.concurrent=1")


def settings(*texts: str) -> list[str]:
    return [part for text in (*QUICK, *texts) for part in ("--set", text)]


def test_a_trial_whose_process_is_killed_goes_on_after_its_last_epoch(encoder: Path, tmp_path: Path) -> None:
    texts = settings("tune.finalists=0", "tune.epochs=12", "tune.scheduler=none", "tracking.mode=disabled")
    output = tmp_path / "out"
    arguments = ["nsmc", "--model", str(encoder), "--trials", "1", "--output", str(output), *texts]
    environment = os.environ | {"PYTHONPATH": str(Path(korbert.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    driver = subprocess.Popen([sys.executable, "-m", "tune", *arguments], env=environment)
    states = output / "ray" / "states"
    while not list(states.glob("*.pt")):
        assert driver.poll() is None
        time.sleep(0.02)
    before = torch.load(next(states.glob("*.pt")), weights_only=True)["history"]
    os.kill(before[0]["pid"], signal.SIGKILL)
    assert driver.wait() == 0
    (trial,) = storage.read_json(output / "trials.json")
    assert [epoch["epoch"] for epoch in trial["epochs"]] == list(range(1, 13))
    assert trial["epochs"][: len(before)] == before
    assert trial["epochs"][-1]["pid"] != before[0]["pid"]
    assert trial["state"] == "completed"


def test_a_sweep_of_two_encoders_and_two_tasks_names_its_winner_after_finals_and_is_one_group_of_runs(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences = "감동이 왔다\tPER-B O\n다시 감동이 갔다\tO PER-B O\n" * 30
    (tmp_path / ner.TRAIN).write_text(sentences, encoding="utf-8")
    (tmp_path / ner.TEST).write_text("not even read", encoding="utf-8")
    shutil.copytree(encoder, tmp_path / "later")
    output = tmp_path / "out"
    texts = settings(
        "tune.objective=mean_normalised", "tune.epochs=2", "tune.final_seeds=1,2", "tune.finalists=2",
        "tune.layer_decays=0.8,1", "tracking.mode=offline",
    )  # fmt: skip
    models = ["--model", str(encoder), "--model", str(tmp_path / "later")]
    arguments = ["nsmc", "ner", *models, "--data", f"ner={tmp_path}", "--trials", "2", "--output", str(output), *texts]
    assert main(arguments) == 0
    assert "best of the sweep: trial " in capsys.readouterr().out
    trials = storage.read_json(output / "trials.json")
    assert {trial["config"]["model"] for trial in trials} == {encoder.name, "later"}
    final = storage.read_json(output / "finalists.json")
    for record in [*trials, *final["runs"]]:
        assert {name for epoch in record["epochs"] for name in epoch["scores"]} == {"nsmc", "ner"}
    assert [finalist["seeds"] for finalist in final["finalists"]] == [[1, 2], [1, 2]]
    completed = sum(trial["state"] == "completed" for trial in trials)
    assert len(final["runs"]) == 4 - completed  # seed 1's run of a completed trial is the trial itself
    best = storage.read_json(output / "best.json")
    assert best["validation"] == max(finalist["mean"] for finalist in final["finalists"])
    (group,) = {path.name.split("-")[4] for path in (output / "wandb").glob("offline-run-*")}
    runs = {path.name.rpartition("-")[2] for path in (output / "wandb").glob("offline-run-*")}
    assert runs == {record["key"] for record in [*trials, *final["runs"]]}
    assert group == storage.read_json(output / "intent.json")["key"][:8]


def test_population_based_training_goes_on_from_the_better_trial_s_weights(encoder: Path, tmp_path: Path) -> None:
    texts = settings("tune.scheduler=pbt", "tune.epochs=3", "tune.finalists=0", "tracking.mode=disabled")
    output = tmp_path / "out"
    assert main(["nsmc", "--model", str(encoder), "--trials", "4", "--output", str(output), *texts]) == 0
    trials = storage.read_json(output / "trials.json")
    assert len(trials) == 4
    for trial in trials:
        assert [epoch["epoch"] for epoch in trial["epochs"]] == [1, 2, 3]
        assert {"lr", "batch"} <= trial["epochs"][-1]["config"].keys()
