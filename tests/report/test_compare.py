"""Runs side by side: which curves are drawn, and what the table says."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from korbert import recipes
from korbert.chain import Workspace
from korbert.config import overridden
from korbert.report import png
from korbert.report.compare import aligned, differences, loss_curves, row, table
from korbert.report.read import read
from korbert.report.runs import HeldOut, Point, Pretraining, Run


def _point(step: int, loss: float | None, **fields: float) -> Point:
    values = {"tokens": step * 100.0, "seconds": step * 2.0} | fields
    return Point(
        step, values["tokens"], loss, 0.5, loss, None, None, None, 0, values["seconds"], values.get("mfu")
    )  # fmt: skip


def _run(name: str, *points: Point, **settings: str) -> Run:
    config = overridden(recipes.tiny(), [f"{key.replace('__', '.')}={value}" for key, value in settings.items()])
    whole = Pretraining(points, False, *(None,) * 10) if points else None
    return Run(name, config, pretraining=whole)


ONE = _run("one", _point(1, 9.0, mfu=0.2), _point(2, 5.0, mfu=0.4), _point(3, 6.0))
TWO = _run("two", _point(10, 8.0), _point(20, 4.0), training__lr="3e-4")


def test_each_loss_is_drawn_by_step_by_tokens_and_by_seconds_with_all_runs_in_each() -> None:
    charts = loss_curves([ONE, TWO])
    labels = ("optimiser steps", "real tokens", "seconds of training")
    assert [(chart.name, chart.x_label) for chart in charts] == [(n, x) for n in ("mlm", "sop") for x in labels]
    assert all([series.label for series in chart.series] == ["one", "two"] for chart in charts)
    assert [chart.series[1].x for chart in charts[:3]] == [(10.0, 20.0), (1000.0, 2000.0), (20.0, 40.0)]
    assert charts[0].series[1].y == (8.0, 4.0)


def test_runs_of_before_seconds_were_noted_are_drawn_by_step_and_tokens() -> None:
    old = replace(ONE.pretraining, points=tuple(replace(p, seconds=None) for p in ONE.pretraining.points))  # type: ignore[union-attr,type-var]
    charts = loss_curves([replace(ONE, pretraining=old)])
    assert {chart.x_label for chart in charts} == {"optimiser steps", "real tokens"}


def test_the_last_and_the_best_loss_are_told_apart_and_speed_is_of_the_whole_training() -> None:
    found = row(ONE)
    assert found is not None
    assert (found.steps, found.loss, found.best) == (3, 6.0, 5.0)
    assert found.tokens_per_second == pytest.approx(300 / 6)
    assert found.mfu == pytest.approx(0.3)


def test_a_run_without_a_curve_has_no_row() -> None:
    assert row(_run("new")) is None
    assert table([ONE, _run("new")]).count("\n") == 1


def test_the_table_holds_a_line_a_run_and_says_which_are_unfinished() -> None:
    lines = table([ONE, TWO]).splitlines()
    assert lines[0].split() == [
        "run", "steps", "tokens", "seconds", "tokens/s", "MFU", "MLM", "SOP", "loss", "best", "held", "out",
        "bits/char", "restarts",
    ]  # fmt: skip
    assert lines[1].split() == [
        "one", "(unfinished)", "3", "300", "6", "50", "30.0%", "6.0000", "0.5000", "6.0000", "5.0000", "–", "–", "0",
    ]  # fmt: skip
    assert lines[2].split()[6] == "–"


def test_held_out_documents_have_columns_and_a_row_of_charts() -> None:
    assert ONE.pretraining is not None
    held = replace(ONE, pretraining=replace(ONE.pretraining, held_out=(HeldOut(3, 300, 6, 5.5, 0.6, 0.1, 0.7, 2.345),)))
    assert table([held]).splitlines()[1].split()[-3:] == ["5.5000", "2.345", "0"]
    assert [chart.name for chart in loss_curves([held, TWO])] == ["mlm"] * 3 + ["sop"] * 3 + ["bits"] * 3
    assert [series.label for series in loss_curves([held, TWO])[0].series] == ["one", "two", "one, held out"]


def test_only_fields_that_differ_are_listed() -> None:
    assert differences([ONE, TWO]).splitlines()[1].split() == ["training.lr", "0.002", "0.0003"]
    assert len(differences([ONE, TWO]).splitlines()) == 2
    assert differences([ONE, ONE]) == ""


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned([("a", "b"), ("long", "10"), ("x", "7")]) == "a      b\nlong  10\nx      7"


def test_real_workspaces_make_one_figure(make_run: Callable[..., Workspace]) -> None:
    runs = read([make_run("small", to="pretrain"), make_run("large", to="pretrain", floor=4.0, restart_at=300)])
    assert row(runs[1]) is not None
    assert row(runs[1]).restarts == 1  # type: ignore[union-attr]
    picture = png.curves(loss_curves(runs), "Pre-training: small, large")
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000
