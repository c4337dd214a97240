"""The report of benchmarks as files: every form, whole or not at all, nothing of others replaced."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from korbert.benchmarks.scored import read_scores
from korbert.errors import UsageError
from korbert.report import benchmarks
from korbert.report.benchmarks import Report

Make = Callable[..., Path]
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def report(make_scores: Make) -> Report:
    rows = [
        {"split": split, "row": n, "text": f"{EVIL} {n}", "gold": "negative", "predicted": "positive",
         "probability": 0.9, "gold_probability": 0.1}
        for split in ("validation", "test") for n in range(1, 9)
    ]  # fmt: skip
    folder = make_scores("nsmc", "accuracy", [0.81, 0.83], 50_000, predictions=rows)
    return Report.of(read_scores([f"{EVIL}={folder}"]), 7, "test", now=NOW)


def test_every_form_is_written_with_its_charts(report: Report, tmp_path: Path) -> None:
    page = benchmarks.write(report, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "index.html", "benchmarks.txt", "benchmarks.md", "benchmarks.tex", "benchmarks.json", "benchmarks.png",
        "chart-1.svg", "manifest.json",
    }  # fmt: skip
    assert all(f'href="{name}"' in page.read_text() for name in ("benchmarks.md", "chart-1.svg"))
    data = json.loads((tmp_path / "out" / "benchmarks.json").read_text(encoding="utf-8"))
    assert (data["ours"][0]["comparable"], len(data["published"])) == (True, 33)
    assert str(tmp_path) not in json.dumps(data)


def test_what_rows_and_names_hold_is_text_on_the_page(report: Report) -> None:
    page = report.form("html")
    assert EVIL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 3" in page
    assert page.count("<script>") == 1
    assert "http" not in page.replace("http-equiv", "").replace("https://example.org/data", "")


def test_the_page_has_the_tables_the_measures_and_the_listing(report: Report) -> None:
    page = report.form("html")
    for words in ("Beside published scores", "Confusion matrix", "Most confident and wrong", "2 more", "CC0-1.0"):
        assert words in page
    assert page.count('<tr class="ours">') == 1
    assert "<b>91.97</b>" in page
    assert "<u>91.71</u>" in page


def test_an_older_report_is_replaced_and_anything_else_is_not(report: Report, tmp_path: Path) -> None:
    benchmarks.write(report, tmp_path / "out")
    benchmarks.write(report, tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="holds something else"):
        benchmarks.write(report, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_report_without_errors_needs_no_predictions(make_scores: Make) -> None:
    scores = read_scores([str(make_scores("nsmc", "accuracy", [0.8], 50_000))])
    assert "Confusion matrix" not in Report.of(scores, 0, "test").form("text")
    with pytest.raises(UsageError, match="score it again elsewhere"):
        Report.of(scores, 3, "test")
