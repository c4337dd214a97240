"""The page's sections on what was learned: pre-training curves, scores, sweep."""

from __future__ import annotations

from collections.abc import Sequence

from korbert.report import svg
from korbert.report.charts import run_colour, score_dots, sweep_charts, training_curves
from korbert.report.markup import Markup, joined, tag
from korbert.report.numbers import MISSING, duration, fixed, power, scalar, whole
from korbert.report.runs import Point, Run, Score, Sweep, Trial
from korbert.report.shapes import Curves
from korbert.report.tables import absent, card, figure, fold, legend, run_heading, section, swatch, table

SAMPLED_ROWS = 12


def pretraining(runs: Sequence[Run]) -> Markup:
    """Curves against steps and against real tokens, and the final values."""
    by_step, by_tokens = training_curves(runs, "step"), training_curves(runs, "tokens")
    if not by_step:
        return section("pretraining", "Pre-training", card(absent("No metrics yet.")))
    lead = "Masked-token prediction (MLM) and sentence-order prediction (SOP) are learned together; their sum is what "
    lead += "training minimises. A model that only knows how often each token occurs pays the unigram entropy for MLM; "
    lead += "one that guesses the order pays ln 2 ≈ 0.693 for SOP."
    trained = [(run.name, run_colour(number)) for number, run in enumerate(runs) if run.pretraining]
    key = legend(trained) if len(runs) > 1 else None
    return section(
        "pretraining", "Pre-training", tag("p", lead), card(_finals(runs)), _switch(key, by_step, by_tokens),
        card(*(_sampled(run) for run in runs)),
    )  # fmt: skip


def _switch(key: Markup | None, by_step: Sequence[Curves], by_tokens: Sequence[Curves]) -> Markup:
    """Both sets of charts, one of them shown: two radio buttons and the style sheet do it without a script."""
    if not by_tokens:
        return joined(key, _grid(by_step, "step-charts"))
    labels = (tag("label", "by steps", for_="by-step"), tag("label", "by tokens", for_="by-tokens"))
    return tag(
        "div",
        tag("input", type="radio", name="x-axis", id="by-step", class_="pick", checked=True),
        tag("input", type="radio", name="x-axis", id="by-tokens", class_="pick"),
        tag("div", *labels, class_="switch"),
        key,
        _grid(by_step, "step-charts"),
        _grid(by_tokens, "tokens-charts"),
        class_="switched",
    )


def _grid(charts: Sequence[Curves], name: str) -> Markup:
    return tag("div", *(figure(c.title, svg.curves(c), _caption(c)) for c in charts), class_=f"grid {name}")


def _caption(chart: Curves) -> str:
    parts = [chart.y_label[:1].upper() + chart.y_label[1:]]
    if any(series.faint for series in chart.series):
        parts.append("faint: as logged, bold: smoothed")
    if chart.events:
        parts.append("dotted: workers restarted")
    if any(series.points for series in chart.series):
        parts.append("dots: held-out documents")
    return "; ".join(parts) + "."


def _finals(runs: Sequence[Run]) -> Markup:
    rows = [_final(number, run) for number, run in enumerate(runs)]
    head = ("run", "state", "MLM", "unigram", "SOP", "sum", "MLM acc.", "SOP acc.", "held-out MLM", "bits/char.",
            "steps", "samples", "tokens", "tokens/s", "time", "restarts")  # fmt: skip
    return joined(table("Last values; losses in nats", head, rows, text=2), _audits(runs))


def _final(number: int, run: Run) -> tuple[object, ...]:
    name, found = swatch(run.name, run_colour(number)), run.pretraining
    if found is None:
        return (name, "absent", *[MISSING] * 14)
    last = found.points[-1] if found.points else None
    held_out = found.held_out[-1] if found.held_out else None
    return (
        name,
        "finished" if found.finished else "unfinished",
        *(fixed(value, 4) for value in (found.mlm, found.unigram_entropy, found.sop, found.loss)),
        fixed(last.mlm_accuracy if last else None, 4),
        fixed(last.sop_accuracy if last else None, 4),
        fixed(held_out.mlm if held_out else None, 4),
        fixed(held_out.bits_per_character if held_out else None, 3),
        *(whole(value) for value in (found.steps, found.samples, found.tokens, found.tokens_per_second)),
        duration(found.seconds),
        whole(found.restarts if found.restarts is not None else len(found.restarted_at)),
    )


def _audits(runs: Sequence[Run]) -> Markup | None:
    rows = [
        (f"{run.name}: {name.replace('_', ' ')}", scalar(value))
        for run in runs
        if run.pretraining
        for name, value in run.pretraining.audit.items()
        if isinstance(value, int | float | str)
    ]
    caption = "Each epoch's samples, checked against the log of every worker"
    return fold("Audit of the sample order", table(caption, ("field", "value"), rows)) if rows else None


def _sampled(run: Run) -> Markup | None:
    """The curve as a table, a dozen rows from first to last."""
    if run.pretraining is None or not run.pretraining.points:
        return None
    points = run.pretraining.points
    count = min(SAMPLED_ROWS, len(points))
    picks = sorted({round(index * (len(points) - 1) / max(count - 1, 1)) for index in range(count)})
    head = ("step", "tokens", "MLM", "SOP", "sum", "MLM acc.", "SOP acc.", "tokens/s")
    caption = f"{count} of {len(points):,} logged lines, as logged"
    return fold(f"Curve of {run.name} as a table", table(caption, head, [_sample(points[i]) for i in picks]))


def _sample(point: Point) -> tuple[str, ...]:
    losses = (point.mlm, point.sop, point.loss, point.mlm_accuracy, point.sop_accuracy)
    return (whole(point.step), whole(point.tokens), *(fixed(v, 4) for v in losses), whole(point.tokens_per_second))


def scores(runs: Sequence[Run]) -> Markup:
    """Each task's mean and deviation over seeds."""
    chart = score_dots(runs)
    if chart is None:
        return section("scores", "Scores", card(absent("No benchmark scored yet.")))
    rows = [_score(number, run, score) for number, run in enumerate(runs) for score in run.scores]
    head = ("run", "task", "metric", "mean ± sd", "seeds", "baseline", "train", "validation", "test")
    caption = "Mean ± sample standard deviation over seeds; the test set is read once a seed, after its epoch is chosen"
    caption += "".join(dict.fromkeys(f". {s.task}: {s.remark}" for run in runs for s in run.scores if s.remark))
    drawing = figure(
        chart.title, svg.dots(chart), f"Dots: seeds; upright bar: mean; band: ± one sd; dashed: {_baselines(runs)}."
    )
    parts = (card(table(caption, head, rows, text=3)), tag("div", drawing, _seeds(runs), class_="grid"))
    return section("scores", "Scores", *parts)


def _baselines(runs: Sequence[Run]) -> str:
    """What the dashed lines stand for: the tasks' own baselines."""
    kinds = dict.fromkeys(score.baseline_is for run in runs for score in run.scores)
    return "; ".join(kinds)


def _score(number: int, run: Run, score: Score) -> tuple[object, ...]:
    sizes = (score.n_train, score.n_validation, score.n_test)
    return (
        swatch(run.name, run_colour(number)),
        score.task,
        score.metric,
        f"{fixed(score.mean, 4)} ± {fixed(score.std, 4)}",
        whole(len(score.seeds)),
        fixed(score.majority_baseline, 4),
        *(whole(size) for size in sizes),
    )


def _seeds(runs: Sequence[Run]) -> Markup:
    rows = [
        (
            f"{score.task} · {run.name}",
            seed.seed,
            fixed(seed.test, 4),
            fixed(max(seed.validation, default=None), 4),
            whole(seed.best_epoch),
            duration(seed.seconds),
        )
        for run in runs
        for score in run.scores
        for seed in score.seeds
    ]
    head = ("task", "seed", "test", "validation", "epoch", "time")
    return card(tag("h3", "Each seed"), table("Best validation epoch and its test score", head, rows))


def sweep(runs: Sequence[Run]) -> Markup:
    """Trials, best first, and what the learning rate did."""
    parts = [_run_sweep(runs, number) for number, run in enumerate(runs) if run.sweep]
    if not parts:
        return section("sweep", "Sweep", card(absent("No sweep yet.")))
    lead = "Trials are judged on validation rows only. ASHA stops the weak ones early; the winner is "
    return section("sweep", "Sweep", tag("p", lead + "ringed."), *parts)


def _run_sweep(runs: Sequence[Run], number: int) -> Markup:
    found = runs[number].sweep
    assert found is not None
    charts = sweep_charts(runs[number])
    drawn = {series.label: series.colour for chart in charts if chart.x_scale == "log" for series in chart.series}
    drawings = [figure(chart.title, svg.curves(chart)) for chart in charts]
    return joined(
        card(run_heading(runs, number), _trials(found)),
        legend(drawn.items()) if drawn else None,
        tag("div", *drawings, class_="grid"),
    )


def _setting(trial: Trial, name: str) -> str:
    if name == "lr" and trial.lr is not None:
        return power(trial.lr)
    return scalar(trial.config[name]) if name in trial.config else MISSING


def _trials(found: Sweep) -> Markup:
    fields = list(dict.fromkeys(name for trial in found.trials for name in trial.config))
    rows = [
        (
            swatch(f"{trial.name} (winner)", "accent") if trial.name == found.winner else trial.name,
            trial.state,
            fixed(trial.best, 4),
            fixed(trial.validation[-1][0], 2) if trial.validation else MISSING,
            *(_setting(trial, name) for name in fields),
            duration(trial.seconds),
        )
        for trial in found.trials
    ]
    winner = next((i for i, trial in enumerate(found.trials) if trial.name == found.winner), -1)
    head = ("trial", "state", "best validation", "epochs", *(name.replace("_", " ") for name in fields), "time")
    return table(f"{len(found.trials):,} trials, best first", head, rows, text=2, winner=winner)
