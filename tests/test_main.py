"""The command: every wrong input is one clear line and an exit code, and nothing is left behind."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from korbert.__main__ import main
from korbert.chain import Workspace
from korbert.recipes import RECIPES


def korbert(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "korbert", *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", RECIPES)
def test_config_show_prints_toml_with_the_settings_applied(name: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["config", "show", name, "--set", "training.lr=3e-4"]) == 0
    shown = tomllib.loads(capsys.readouterr().out)
    assert shown["recipe"] == name
    assert shown["training"]["lr"] == 3e-4


def test_config_save_makes_a_workspace(tmp_path: Path) -> None:
    assert main(["config", "save", "tiny", "--workspace", str(tmp_path / "press"), "--set", "crawl.delay=2"]) == 0
    assert Workspace(tmp_path / "press").load().crawl.delay == 2.0


def test_config_list_names_every_recipe(capsys: pytest.CaptureFixture) -> None:
    assert main(["config", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(RECIPES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "bert"], "'bert': there is no such recipe"),
        (["run", "demo", "--set", "training.lrr=1"], "training.lrr: there is no such field; did you mean lr?"),
        (["run", "demo", "--set", "training.lr=0"], "training.lr = 0.0: must be more than 0"),
        (["run", "demo", "--limit", "-1"], "crawl.limit = -1: must be 0 (all) or more"),
        (["run", "demo", "--limit", "many"], "invalid int value: 'many'"),
        (["run", "demo", "--articles", "no.jsonl"], "--articles no.jsonl: there is no such file"),
        (["run", "demo", "--nsmc", "nowhere"], "--nsmc nowhere: there is no such folder"),
        (["run", "demo", "--nsmc", "."], "ratings_train.txt: No such file"),
        (["run", "demo", "--from", "crawling"], "--from crawling: there is no such stage; there are: crawl, corpus"),
        (["run", "demo", "--from", "tokens", "--to", "corpus"], "--from tokens: comes after --to corpus"),
        (["status"], "--runs runs: holds no run; start one with: korbert run demo"),
        (["report"], "--runs runs: holds no run"),
        (["stage", "corpus", "--workspace", "x"], "x: is no workspace"),
        (["fly"], "invalid choice: 'fly'"),
        ([], "arguments are required: COMMAND"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err
    assert output.err.startswith("korbert: ")
    assert output.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_that_cannot_be_made_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    assert main(["run", "demo", "--workspace", str(tmp_path / "file" / "run")]) == 1
    assert "choose another --workspace" in capsys.readouterr().err


def test_a_failure_in_a_real_process_has_no_stack_trace(tmp_path: Path) -> None:
    done = korbert("run", "nothing", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_help_names_every_command(tmp_path: Path) -> None:
    done = korbert("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("run", "config", "status", "report", "data", "bench", "stage", "crawl"):
        assert command in done.stdout


def test_crawl_hands_over_to_the_crawlers_own_command(tmp_path: Path) -> None:
    done = korbert("crawl", "sources", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert "naver_search" in done.stdout
    refused = korbert("crawl", "fly", cwd=tmp_path)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith("crawler: argument COMMAND: invalid choice: 'fly'")
