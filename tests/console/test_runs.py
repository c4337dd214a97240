"""`korbert runs`: the table, the figure, and wrong names in one line."""

import json
from pathlib import Path

import pytest

from korbert.__main__ import main
from korbert.chain import Workspace
from korbert.config import overridden
from korbert.console import runs
from korbert.recipes import tiny


def _workspace(root: Path, *settings: str, lines: int = 5) -> Workspace:
    workspace = Workspace(root)
    workspace.save(overridden(tiny(), settings))
    folder = workspace.path("pretrain")
    folder.mkdir()
    records = (
        {"step": n, "tokens": n * 50, "seconds": n * 0.5, "mlm": 8 - n / 2, "sop": 0.7, "loss": 8.7 - n / 2, "mfu": 0.5}
        for n in range(1, lines + 1)
    )
    (folder / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return workspace


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose `runs` holds slow and fast."""
    monkeypatch.chdir(tmp_path)
    _workspace(tmp_path / "runs" / "slow")
    _workspace(tmp_path / "runs" / "fast", "training.lr=3e-3", lines=9)
    return tmp_path


def test_compare_prints_table_and_differences_and_draws_one_figure(two: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["runs", "compare", "slow", "fast", "--output", "out"]) == 0
    printed = capsys.readouterr().out
    assert "training.lr" in printed
    assert "figure: out/runs.png" in printed
    assert (two / "out" / "runs.png").read_bytes().startswith(b"\x89PNG")
    assert (two / "out" / "runs.txt").read_text() in printed


def test_a_run_is_named_by_its_folder_too(two: Path, capsys: pytest.CaptureFixture) -> None:
    elsewhere = _workspace(two / "elsewhere")
    assert main(["runs", "compare", "fast", str(elsewhere.root)]) == 0
    assert "elsewhere (unfinished)" in capsys.readouterr().out


def test_list_has_every_run_also_those_without_a_curve(two: Path, capsys: pytest.CaptureFixture) -> None:
    Workspace(two / "runs" / "new").save(tiny())
    assert main(["runs", "list"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()] == ["run", "fast", "slow", "new:"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "slow", "gone"], "gone: is no run; under runs there are: fast, new, slow"),
        (["compare", "new"], "new: has no curve yet; train it with: korbert run RECIPE --to pretrain"),
        (["list", "--runs", "nowhere"], "--runs nowhere: holds no run"),
    ],
)
def test_a_wrong_name_is_one_line_and_writes_nothing(
    two: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture
) -> None:
    Workspace(two / "runs" / "new").save(tiny())
    assert main(["runs", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in two.iterdir()) == ["runs"]


def test_a_training_leaves_its_words_and_its_picture(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path / "run")
    said = runs.summarize(workspace)
    folder = workspace.path("pretrain")
    assert said.endswith(f"\ncurves: {folder / 'curves.png'}")
    assert (folder / "summary.txt").read_text() == said.rpartition("\ncurves: ")[0] + "\n"
    assert said.startswith(
        "pre-training of run: unfinished after 5 steps, 250 tokens in 2.5 s (100 tokens/s, MFU 50.0 %)"
    )
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
