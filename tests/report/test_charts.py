"""Charts hold the runs' own values."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from korbert.report import charts
from korbert.report.read import read
from korbert.report.runs import Crawl, Point, Pretraining, Run, Sweep, Trial
from korbert.report.shapes import Curves


def by_name(drawn: tuple[Curves, ...]) -> dict[str, Curves]:
    return {chart.name: chart for chart in drawn}


@pytest.mark.parametrize("x", ["step", "tokens"])
def test_the_curves_hold_every_logged_value(make_run: Any, x: str) -> None:
    workspace = make_run(to="pretrain")
    lines = [json.loads(line) for line in (workspace.path("pretrain") / "metrics.jsonl").read_text().splitlines()]
    drawn = by_name(charts.training_curves(read([workspace]), x))
    assert list(drawn) == ["mlm", "sop", "loss", "mlm-accuracy", "sop-accuracy", "lr", "speed"]
    for name, field in (("mlm", "mlm"), ("sop", "sop"), ("loss", "loss"), ("speed", "tokens_per_second")):
        logged = next(series for series in drawn[name].series if series.faint)
        assert logged.x == tuple(line[x] for line in lines)
        assert logged.y == tuple(line[field] for line in lines)


def test_the_references_are_the_datas_entropy_and_ln_2(make_run: Any) -> None:
    drawn = by_name(charts.training_curves(read([make_run(to="pretrain")])))
    assert [(level.y, level.label) for level in drawn["mlm"].levels] == [(6.9315, "unigram entropy 6.93")]
    assert [level.y for level in drawn["sop"].levels] == [math.log(2)]
    (both,) = drawn["loss"].levels
    assert (both.y, both.label) == (6.9315 + math.log(2), "unigram entropy + ln 2 7.62")


def test_two_runs_share_each_chart_in_two_colours(make_run: Any) -> None:
    runs = read([make_run("demo", to="pretrain"), make_run("small", to="pretrain", floor=4.0)])
    for chart in charts.training_curves(runs):
        looks = {(series.label, series.colour) for series in chart.series}
        assert looks == {("demo", "run0"), ("small", "run1")}


def test_runs_on_different_data_have_an_entropy_line_each(make_run: Any) -> None:
    first, second = read([make_run("demo", to="pretrain"), make_run("small", to="pretrain")])
    assert second.pretraining is not None
    second = replace(second, pretraining=replace(second.pretraining, unigram_entropy=7.5))
    levels = by_name(charts.training_curves([first, second]))["mlm"].levels
    assert [(level.y, level.colour) for level in levels] == [(6.9315, "run0"), (7.5, "run1")]
    assert levels[1].label == "unigram entropy 7.50 (small)"


def test_a_restart_is_marked_where_the_attempt_changes(make_run: Any) -> None:
    chart = charts.training_curves(read([make_run(to="pretrain", restart_at=300)]))[0]
    assert [(event.x, event.label) for event in chart.events] == [(305, "demo: restarted")]


def test_a_restart_that_nobody_asked_for_is_a_recovery(make_run: Any) -> None:
    workspace = make_run(to="pretrain", restart_at=300)
    path = workspace.path("pretrain") / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line | {"recoveries": line["attempt"]}) + "\n" for line in lines))
    (run,) = read([workspace])
    assert run.pretraining is not None
    assert run.pretraining.recovered_at == run.pretraining.restarted_at == (305,)
    assert [(event.x, event.label) for event in charts.training_curves([run])[0].events] == [(305, "demo: recovered")]


def held_out(workspace: Any, *steps: int) -> None:
    """Evaluations after these steps; the last one is written twice, as a restart does."""
    path = workspace.path("pretrain") / "metrics.jsonl"
    lines = path.read_text().splitlines()
    for step in (*steps, steps[-1]):
        found = {"mlm": 9 - step / 100, "sop": 0.6, "mlm_accuracy": 0.1, "sop_accuracy": 0.7, "bits_per_character": 2.5}
        lines.append(json.dumps({"step": step, "held_out": found | {"samples": 9, "masked": 99}, "attempt": 0}))
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(("x", "places"), [("step", (200, 600)), ("tokens", (200 * 5760, 600 * 5760))])
def test_held_out_documents_are_dots_among_the_losses_and_their_bits_have_a_chart(
    make_run: Any, x: str, places: tuple[float, ...]
) -> None:
    workspace = make_run(to="pretrain")
    held_out(workspace, 200, 600)
    (run,) = read([workspace])
    assert run.notes == ()
    drawn = by_name(charts.training_curves([run], x))
    for name, expected in (("mlm", (7.0, 3.0)), ("sop", (0.6, 0.6)), ("loss", (7.6, 3.6)), ("bits", (2.5, 2.5))):
        dots = drawn[name].series[-1]
        assert (dots.label, dots.points) == ("demo, held out", True)
        assert dots.x == places
        assert dots.y == pytest.approx(expected)
    assert not any(series.points for series in drawn["speed"].series)


def test_a_quantity_that_was_never_logged_has_no_chart() -> None:
    run = read_like(Point(1, None, 5.0, None, None, None, None, None, 0))
    assert [chart.name for chart in charts.training_curves([run])] == ["mlm"]
    assert charts.training_curves([run], "tokens") == ()


def read_like(*points: Point) -> Run:
    return Run("x", pretraining=Pretraining(points, False, *[None] * 10))


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_spikes() -> None:
    pairs = [(float(i), math.sin(i / 500)) for i in range(50_000)]
    pairs[31_234] = (31_234.0, 99.0)
    pairs[7] = (7.0, -99.0)
    thin = charts.thinned(pairs)
    assert len(thin) <= charts.LONGEST_LINE + 2
    assert set(thin) <= set(pairs)
    assert {pairs[0], pairs[-1], pairs[31_234], pairs[7]} <= set(thin)
    assert thin == sorted(thin)


def test_smoothing_keeps_a_straight_line_and_the_ends() -> None:
    line = [2.0 * i for i in range(200)]
    assert charts.smoothed(line) == pytest.approx(line)
    noisy = [float(i % 2) for i in range(200)]
    assert max(charts.smoothed(noisy)[10:-10]) < 0.7


def test_the_funnel_takes_each_reason_from_what_was_left(make_run: Any) -> None:
    (run,) = read([make_run(to="corpus")])
    bars = charts.funnel_bars(run)
    assert bars is not None
    shown = {bar.label: (bar.start, bar.value) for bar in bars.bars}
    assert shown["articles crawled"] == (0, 3000)
    assert shown["read for the corpus"] == (0, 2950)
    assert shown["too short"] == (2829, 121)
    assert shown["near duplicate"] == (2611, 135)
    assert shown["documents"] == (0, 2611)
    assert (bars.whole, bars.share_of) == (3000, 3000)


def test_months_without_articles_are_zeros_and_odd_names_are_left_out() -> None:
    crawl = Crawl(6, None, {"2016-12": 2, "2017-03": 4, "unknown": 1, "2017-13": 9, "2017-1": 3}, {}, {})
    chart = charts.month_curve(Run("x", crawl=crawl))
    assert chart is not None
    assert chart.series[0].y == (2, 0, 0, 4)
    assert chart.series[0].x[1] == 2017.0


def test_the_score_dots_are_the_seeds_of_each_task(make_run: Any) -> None:
    dots = charts.score_dots(read([make_run("demo"), make_run("small")]))
    assert dots is not None
    assert [row.label for row in dots.rows] == ["nsmc · demo", "nsmc · small"]
    assert dots.rows[0].values == (0.7355, 0.7273, 0.7308)
    assert (dots.rows[0].mean, dots.rows[0].std, dots.rows[0].baseline) == (0.7312, 0.0041, 0.5034)


def test_the_sweep_shows_each_trial_once_and_the_winner_apart(make_run: Any) -> None:
    workspace = make_run()
    recorded = json.loads((workspace.path("tune") / "trials.json").read_text())
    against_lr, learning = charts.sweep_charts(read([workspace])[0])
    dots = [(x, y) for series in against_lr.series for x, y in zip(series.x, series.y, strict=True)]
    assert sorted(dots) == sorted((trial["config"]["lr"], trial["best"]) for trial in recorded)
    assert [series.names for series in against_lr.series if series.colour == "accent"] == [("trial 4",)]
    assert {series.label: series.y for series in learning.series} == {
        f"trial {trial['trial']}": tuple(epoch["validation"] for epoch in trial["epochs"]) for trial in recorded
    }
    assert learning.series[-1].colour == "accent"


def test_a_trial_without_a_learning_rate_or_score_is_left_out_of_the_scatter() -> None:
    trials = (
        Trial("1", {}, ((1, 0.5),), 0.5, "completed", 1),
        Trial("2", {"lr": 1e-4}, (), None, "failed", None),
        Trial("3", {"lr": float("inf")}, (), 0.4, "stopped", None),
        Trial("4", {"lr": True}, (), 0.4, "stopped", None),
    )
    drawn = charts.sweep_charts(Run("x", sweep=Sweep(trials, "1")))
    assert [chart.name for chart in drawn] == ["sweep-epochs-x"]
