"""`python -m tune` answers mistakes with one line and exit code 2, and has its winner's line ready."""

from dataclasses import replace
from pathlib import Path

import pytest

from korbert.chain import Workspace
from korbert.config import Config
from tune.__main__ import main


def test_a_folder_that_is_no_workspace_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("tune: ")
    assert "is no workspace" in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_run_without_an_export_is_told_the_stage_to_run(
    tmp_path: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = Workspace(tmp_path)
    bare.save(config)
    assert main(["--workspace", str(tmp_path)]) == 2
    assert "run: korbert run --to export" in capsys.readouterr().err


def test_no_trials_is_said(config: Config, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    workspace.save(replace(config, tune=replace(config.tune, trials=0)))
    assert main(["--workspace", str(workspace.root)]) == 0
    assert capsys.readouterr().out == "no trials: tune.trials = 0\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nsmc"], "name at least one TASK and one --model"),
        (["nsmk", "--model", "MODEL"], "nsmk: is no task; there are: "),
        (["ner", "--model", "MODEL"], "names no folder with the files of task ner; add --data ner=DIR"),
        (["nsmc", "--model", "MODEL", "--data", "ner=x"], "--data ner: must be written TASK=DIR"),
        (["nsmc", "--model", "MODEL", "--model", "MODEL"], "a folder is named twice"),
        (["nsmc", "--model", "nowhere"], "--model nowhere: there is no such folder"),
        (["nsmc", "--model", "MODEL", "--resume", "--output", "none"], "--resume: none holds no sweep"),
        (["nsmc", "--model", "MODEL", "--set", "tune.objective=luck"], "tune.objective = 'luck': must be score, "),
        (["nsmc", "--model", "MODEL", "--set", "tune.epoch_choices=9"], "must be 1 to tune.epochs = 2"),
        (["--workspace", "w", "--trials", "3"], "--workspace: has a config of its own; leave out trials"),
    ],
    ids=str,
)
def test_a_mistake_is_one_line(
    arguments: list[str], said: str, encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(encoder) if argument == "MODEL" else argument for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
