"""A real sweep on a real Ray: killed, continued, published; and what happens around it."""

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from korbert import storage
from korbert.chain import Workspace
from korbert.config import Config, overridden
from korbert.errors import UsageError
from korbert.tasks import ner, nsmc
from tune import sweep
from tune.__main__ import main
from tune.contest import Contest

from .conftest import Killed


def test_a_sweep_killed_in_its_first_trial_goes_on_and_is_published(
    workspace: Workspace, killed: Killed, capsys: pytest.CaptureFixture[str]
) -> None:
    states = workspace.path("tune") / "ray" / "states"
    killed(["--workspace", str(workspace.root)], lambda: any(states.glob("*.pt")))
    before = torch.load(next(states.glob("*.pt")), weights_only=True)["history"]
    folder = workspace.path("tune")
    assert storage.read_manifest(folder) is None

    environment = dict(os.environ)
    assert main(["--workspace", str(workspace.root)]) == 0
    assert os.environ == environment
    said = capsys.readouterr().out
    assert not list(states.glob("*.pt"))

    trials, best = storage.read_json(folder / "trials.json"), storage.read_json(folder / "best.json")
    assert [record["trial"] for record in trials] == [1, 2, 3]
    assert [(record["config"]["lr"], record["config"]["batch"]) for record in trials] == [
        (0.0012, 32), (0.00072, 32), (0.00048, 32)
    ]  # fmt: skip
    # What was trained before the kill was not trained again: begun before, in another process.
    assert trials[0]["epochs"][: len(before)] == before
    assert before[0]["pid"] not in {epoch["pid"] for record in trials[1:] for epoch in record["epochs"]}
    for record in trials:
        epochs = [epoch["epoch"] for epoch in record["epochs"]]
        assert epochs == [0.3333, 1, 2, 3][: len(epochs)]
        whole = [epoch["validation"] for epoch in record["epochs"] if epoch["epoch"] in (1, 2, 3)]
        assert record["best"] == max(whole or [record["epochs"][0]["validation"]])
        assert record["state"] == ("completed" if len(epochs) == 4 else "stopped")
        assert record["seconds"] > 0
    assert best["validation"] == max(record["best"] for record in trials)
    assert said.startswith(f"best of the sweep: trial {best['trial']}, validation ")
    assert f"--set finetune.lr={best['config']['lr']}" in said
    manifest = storage.read_manifest(folder)
    assert manifest is not None
    assert set(manifest.files) == {"trials.json", "finalists.json", "best.json", "winner.toml"}
    section = tomllib.loads((folder / "winner.toml").read_text())["finetune"]
    assert section == {name: value for name, value in best["config"].items() if name != "model"}
    assert overridden(workspace.load(), best["set"]).finetune.lr == section["lr"]
    assert sweep.run(workspace.load(), workspace) == manifest


def test_a_sweep_of_no_trials_is_published_empty_without_ray(config: Config, workspace: Workspace) -> None:
    manifest = sweep.run(replace(config, tune=replace(config.tune, trials=0)), workspace)
    assert manifest.counts["trials"] == 0
    assert storage.read_json(workspace.path("tune") / "trials.json") == []
    assert storage.read_json(workspace.path("tune") / "best.json") is None


def test_a_trial_is_given_training_and_validation_rows_and_never_the_test_file(
    config: Config, workspace: Workspace, tmp_path: Path
) -> None:
    train = "\n".join(["\t".join(nsmc.COLUMNS)] + [f"{n}\t글 {n}\t{n % 2}" for n in range(50)])
    (tmp_path / nsmc.TRAIN).write_text(train, encoding="utf-8")  # and no test file at all
    alone = replace(config, finetune=replace(config.finetune, data=str(tmp_path)))
    encoder = workspace.path("export")
    rows = Contest(alone, {"export": encoder}, {"nsmc": tmp_path}).rows()["export", "nsmc", 32]
    assert (len(rows.training), len(rows.validation)) == (46, 4)
    limited = replace(alone, tune=replace(config.tune, train_limit=20, validation_limit=2))
    rows = Contest(limited, {"export": encoder}, {"nsmc": tmp_path}).rows()["export", "nsmc", 32]
    assert (len(rows.training), len(rows.validation)) == (20, 2)


def test_a_sweep_of_entity_recognition_judges_its_trials_by_f1(
    config: Config, workspace: Workspace, tmp_path: Path
) -> None:
    sentences = "서울 하나\tPER-B O\n하나 서울 하나\tO PER-B O\n" * 60
    (tmp_path / ner.TRAIN).write_text(sentences, encoding="utf-8")
    (tmp_path / ner.TEST).write_text(sentences, encoding="utf-8")
    section = replace(config.finetune, task="ner", data=str(tmp_path))
    one = replace(config, finetune=section, tune=replace(config.tune, trials=1, epochs=3))
    workspace.save(one)
    sweep.run(one, workspace)
    best = storage.read_json(workspace.path("tune") / "best.json")
    assert best["validation"] == 1.0  # by accuracy of words, answering O everywhere would be 0.6
    assert (best["config"]["lr"], best["config"]["epochs"]) == (0.0012, 3)


def test_a_bad_line_is_refused_before_ray_starts(config: Config, workspace: Workspace, tmp_path: Path) -> None:
    for name in (nsmc.TRAIN, nsmc.TEST):
        (tmp_path / name).write_text("\t".join(nsmc.COLUMNS) + "\n1\tx\t5\n", encoding="utf-8")
    with pytest.raises(UsageError, match="row 2: label '5'"):
        sweep.run(replace(config, finetune=replace(config.finetune, data=str(tmp_path))), workspace)
    assert not workspace.path("tune").exists()
