"""The report's folder: whole or absent, replaced whole, and never in the place of something else."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from korbert import report
from korbert.errors import UsageError, WorldError
from korbert.report import png

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_report_is_one_page_with_its_charts_and_a_manifest(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run("demo"), make_run("small", to="corpus")]
    written = report.write(runs, tmp_path / "out" / "report", now=NOW)
    assert written == tmp_path / "out" / "report" / "index.html"
    assert names(written.parent) == {
        "index.html", "manifest.json", "curves.png", "scores.png", "funnel-demo.png", "funnel-small.png",
        "sweep-demo.png",
    }  # fmt: skip
    text = written.read_text()
    assert "Written 2026-01-02 03:04 UTC" in text
    assert 'href="funnel-small.png"' in text
    assert "articles = &quot;articles.jsonl&quot;" in text
    assert str(tmp_path) not in text
    manifest = json.loads((written.parent / "manifest.json").read_text())
    assert manifest["inputs"]["demo/corpus"] == runs[0].manifest("corpus").digest


def test_the_charts_are_pictures_with_something_on_them(make_run: Any, tmp_path: Path) -> None:
    folder = report.write([make_run()], tmp_path / "report").parent
    for picture in folder.glob("*.png"):
        pixels = matplotlib.image.imread(io.BytesIO(picture.read_bytes()))
        height, width = pixels.shape[:2]
        assert min(height, width) > 150, picture.name
        # The coloured marks, not only black text on white.
        colourful = (pixels[..., :3].max(axis=2) - pixels[..., :3].min(axis=2) > 0.2).sum()
        assert colourful > 500, picture.name


def test_an_older_report_is_replaced_whole(make_run: Any, tmp_path: Path) -> None:
    report.write([make_run("demo")], tmp_path / "report")
    report.write([make_run("early", to="crawl")], tmp_path / "report")
    assert names(tmp_path / "report") == {"index.html", "manifest.json"}
    assert "1 run: early" in (tmp_path / "report" / "index.html").read_text()
    assert names(tmp_path) >= {"report"}
    assert not [name for name in names(tmp_path) if name.startswith(".report")]


def test_a_fault_while_drawing_leaves_the_old_report(
    make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_run(to="corpus")
    report.write([workspace], tmp_path / "report", now=NOW)
    before = (tmp_path / "report" / "index.html").read_bytes()

    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(png, "bars", full)
    with pytest.raises(WorldError, match="No space left on device"):
        report.write([workspace], tmp_path / "report")
    assert (tmp_path / "report" / "index.html").read_bytes() == before
    assert not [name for name in names(tmp_path) if name.startswith(".report")]


@pytest.mark.parametrize("content", ["a file", "a folder with files", "another artefact", "a link"])
def test_a_place_that_holds_something_else_is_refused_and_left_alone(
    make_run: Any, tmp_path: Path, content: str
) -> None:
    workspace = make_run(to="corpus")
    place = tmp_path / "place"
    if content == "a file":
        place.write_text("mine")
    elif content == "a folder with files":
        place.mkdir()
        (place / "thesis.txt").write_text("mine")
    elif content == "another artefact":
        place = workspace.path("corpus")
    else:
        (tmp_path / "real").mkdir()
        place.symlink_to(tmp_path / "real")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=r"^--output .*: (is not a folder|holds something else); a report replaces"):
        report.write([workspace], place)
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


def test_an_empty_folder_may_become_the_report(make_run: Any, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    assert report.write([make_run(to="crawl")], tmp_path / "report").is_file()


def test_no_run_at_all_is_an_error_that_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="korbert run demo"):
        report.write([], tmp_path / "report")
    assert names(tmp_path) == set()


def test_odd_run_names_make_plain_and_different_file_names(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run("뉴스 $x_1$", to="corpus"), make_run("뉴스 <b>", to="corpus"), make_run("신문", to="corpus")]
    folder = report.write(runs, tmp_path / "report").parent
    pictures = {path.name for path in folder.glob("*.png")}
    assert len(pictures) == 3
    assert all(name.isascii() and " " not in name and "<" not in name for name in pictures)


def test_a_lone_surrogate_in_an_artefact_does_not_stop_the_report(make_run: Any, tmp_path: Path) -> None:
    workspace = make_run(to="crawl")
    (workspace.path("crawl") / "summary.json").write_text('{"articles": 1, "by_press": {"\\ud800": 1}}')
    assert "(1)" in report.write([workspace], tmp_path / "report").read_text()
