"""`korbert benchmarks report` prints a format, or writes all of them, and answers mistakes in a line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from korbert.__main__ import main

Make = Callable[..., Path]


@pytest.mark.parametrize(
    ("form", "begins"),
    [("text", "Beside published"), ("md", "## Beside"), ("latex", "% needs"), ("html", "<!DOCTYPE html>")],
)
def test_each_format_is_printed(form: str, begins: str, make_scores: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_scores("nsmc", "accuracy", [0.81, 0.83], 50_000)
    assert main(["benchmarks", "report", f"mine={folder}", "--format", form]) == 0
    said = capsys.readouterr().out
    assert said.startswith(begins)
    assert "mine" in said
    assert "82.00" in said


def test_json_holds_ours_and_the_published(make_scores: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_scores("kmou-ner", "entity_f1", [0.8], 366, remark="stand-in")
    assert main(["benchmarks", "report", str(folder), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [(one["task"], one["comparable"], one["why_apart"]) for one in data["ours"]] == [
        ("kmou-ner", False, "stand-in")
    ]


def test_a_folder_gets_every_format(make_scores: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_scores("nsmc", "accuracy", [0.8], 50_000)
    assert main(["benchmarks", "report", str(folder), "--output", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == f"report: {tmp_path / 'out' / 'index.html'}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nowhere"], "holds no scores.json"), (["nowhere", "--errors", "-1"], "--errors -1: must be 0 (none) or more")],
    ids=["no-score", "negative"],
)
def test_mistakes_are_answered_in_a_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["benchmarks", "report", *arguments]) == 2
    assert said in capsys.readouterr().err
