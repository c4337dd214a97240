"""Runs -> charts: which of their numbers are drawn, and how. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from korbert.report.numbers import finite
from korbert.report.runs import Funnel, HeldOut, Point, Pretraining, Run, Sweep
from korbert.report.shapes import Bar, Bars, Curves, DotRow, Dots, Event, Level, Series

_P = TypeVar("_P", Point, HeldOut)

RUN_COLOURS = 8
LONGEST_LINE = 600
# What curves are drawn over: fields of a point.
X_LABELS = {"step": "optimiser steps", "tokens": "real tokens", "seconds": "seconds of training"}
SMOOTH_FROM = 60


def run_colour(number: int) -> str:
    """The colour of the run at `number` in the report's order."""
    return f"run{number % RUN_COLOURS}"


# What is drawn of a training: name, title, y axis, and how a point answers it.
_QUANTITIES: tuple[tuple[str, str, str, Callable[[Point], float | None]], ...] = (
    ("mlm", "Masked-token loss (MLM)", "nats a masked token", lambda p: p.mlm),
    ("sop", "Sentence-order loss (SOP)", "nats a sample", lambda p: p.sop),
    ("loss", "Sum of both losses", "nats", lambda p: p.loss),
    ("mlm-accuracy", "MLM accuracy", "share of masked tokens", lambda p: p.mlm_accuracy),
    ("sop-accuracy", "SOP accuracy", "share of samples", lambda p: p.sop_accuracy),
    ("lr", "Learning rate", "of the last step", lambda p: p.lr),
    ("speed", "Speed", "real tokens a second", lambda p: p.tokens_per_second),
)
BITS = "bits"
# What held-out documents add as dots, by the chart's name; bits per character have a chart of their own.
_HELD_OUT: dict[str, Callable[[HeldOut], float | None]] = {
    "mlm": lambda found: found.mlm,
    "sop": lambda found: found.sop,
    "loss": lambda found: found.loss,
    "mlm-accuracy": lambda found: found.mlm_accuracy,
    "sop-accuracy": lambda found: found.sop_accuracy,
    BITS: lambda found: found.bits_per_character,
}


def training_curves(runs: Sequence[Run], x: str = "step") -> tuple[Curves, ...]:
    """The charts of pre-training with all runs in each; `x` is one of X_LABELS. Charts without a value fall out."""
    charts = []
    drawn = [
        (number, run, run.pretraining) for number, run in enumerate(runs) if run.pretraining and run.pretraining.points
    ]
    for name, title, y_label, value in _QUANTITIES:
        lines = [line for number, run, found in drawn for line in _lines(number, run.name, found, x, value)]
        if lines:
            dots = [dot for number, run, found in drawn for dot in _dots(number, run.name, found, x, name)]
            charts.append(_chart(name, title, x, y_label, [*lines, *dots], drawn))
    if bits := [dot for number, run, found in drawn for dot in _dots(number, run.name, found, x, BITS)]:
        title = "Held-out documents: bits per character"
        charts.append(_chart(BITS, title, x, "bits a character, spaces not counted", bits, drawn))
    return tuple(charts)


_Drawn = Sequence[tuple[int, Run, Pretraining]]


def _chart(name: str, title: str, x: str, y_label: str, series: Sequence[Series], drawn: _Drawn) -> Curves:
    events = tuple(event for number, run, found in drawn for event in _restarts(number, run.name, found, x))
    return Curves(name, title, X_LABELS[x], y_label, tuple(series), _levels(name, drawn), events)


def _lines(number: int, name: str, found: Pretraining, x: str, value: Callable[[Point], float | None]) -> list[Series]:
    pairs = _pairs(found.points, x, value)
    if not pairs:
        return []
    colour, dashed = run_colour(number), number >= RUN_COLOURS
    if len(pairs) < SMOOTH_FROM:
        return [_series(name, colour, pairs, dashed=dashed)]
    means = smoothed([y for _, y in pairs])
    smooth = [(px, y) for (px, _), y in zip(pairs, means, strict=True)]
    return [_series(name, colour, pairs, faint=True), _series(name, colour, smooth, dashed=dashed)]


def _dots(number: int, name: str, found: Pretraining, x: str, chart: str) -> list[Series]:
    """The evaluations on held-out documents, as one cloud; none for a quantity that they do not have."""
    pairs = _pairs(found.held_out, x, _HELD_OUT[chart]) if chart in _HELD_OUT else []
    if not pairs:
        return []
    xs, ys = zip(*thinned(pairs), strict=True)
    label = f"{name}, held out"
    return [Series(label, run_colour(number), xs, ys, points=True, names=(label,) * len(xs))]


def _pairs(points: Sequence[_P], x: str, value: Callable[[_P], float | None]) -> list[tuple[float, float]]:
    at = [(finite(getattr(point, x)), value(point)) for point in points]
    return [(px, py) for px, py in at if px is not None and py is not None]


def _series(
    label: str, colour: str, pairs: Sequence[tuple[float, float]], *, faint: bool = False, dashed: bool = False
) -> Series:
    xs, ys = zip(*thinned(pairs), strict=True)
    return Series(label, colour, xs, ys, faint=faint, dashed=dashed)


def _levels(name: str, drawn: _Drawn) -> tuple[Level, ...]:
    """What a model pays that knows no more than how often each token occurs, and guesses the order."""
    if name == "sop":
        return (Level(math.log(2), "ln 2: guessing"),)
    if name == "sop-accuracy":
        return (Level(0.5, "guessing"),)
    if name not in ("mlm", "loss"):
        return ()
    added, said = (0.0, "unigram entropy") if name == "mlm" else (math.log(2), "unigram entropy + ln 2")
    of = {run.name: (number, found.unigram_entropy) for number, run, found in drawn}
    values = {round(value, 4) for _, value in of.values() if value is not None}
    if len(values) <= 1:
        return tuple(Level(value + added, f"{said} {value + added:.2f}") for value in values)
    return tuple(
        Level(value + added, f"{said} {value + added:.2f} ({label})", run_colour(number))
        for label, (number, value) in of.items()
        if value is not None
    )


def _restarts(number: int, name: str, found: Pretraining, x: str) -> list[Event]:
    at = {point.step: finite(getattr(point, x)) for point in found.points}
    recovered = set(found.recovered_at)
    places = [(at[step], "recovered" if step in recovered else "restarted") for step in found.restarted_at]
    return [Event(place, f"{name}: {what}", run_colour(number)) for place, what in places if place is not None]


def smoothed(values: Sequence[float]) -> list[float]:
    """Each value's mean with its neighbours, a window of a thirtieth of all; the ends use what is there."""
    reach = max(2, len(values) // 60)
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    means = []
    for index in range(len(values)):
        near = min(reach, index, len(values) - 1 - index)
        means.append((sums[index + near + 1] - sums[index - near]) / (2 * near + 1))
    return means


def thinned(pairs: Sequence[tuple[float, float]], limit: int = LONGEST_LINE) -> list[tuple[float, float]]:
    """At most about `limit` of the pairs, spikes kept: the first, the last, and each stretch's least and greatest y."""
    if len(pairs) <= limit:
        return list(pairs)
    stretch = math.ceil(len(pairs) / (limit // 2))
    kept = {0, len(pairs) - 1}
    for start in range(0, len(pairs), stretch):
        indices = range(start, min(start + stretch, len(pairs)))
        kept |= {min(indices, key=lambda i: pairs[i][1]), max(indices, key=lambda i: pairs[i][1])}
    return [pairs[index] for index in sorted(kept)]


def funnel_bars(run: Run) -> Bars | None:
    """Articles, what each filter took away from the right end of what was left, and the documents that stayed."""
    funnel = run.funnel
    if funnel is None:
        return None
    crawled = run.crawl.articles if run.crawl else funnel.articles
    bars = [Bar("articles crawled", 0, crawled, "kept")] if run.crawl else []
    bars.append(Bar("read for the corpus", 0, funnel.articles, "kept"))
    bars += [Bar(reason.replace("_", " "), start, count, "removed") for reason, start, count in _removals(funnel)]
    bars.append(Bar("documents", 0, funnel.documents, "kept"))
    whole = max(bar.start + bar.value for bar in bars)
    title = "From articles to documents"
    return Bars(f"funnel-{run.name}", title, "articles", tuple(bars), max(whole, 1), crawled)


def _removals(funnel: Funnel) -> list[tuple[str, int, int]]:
    left, rows = funnel.articles, []
    for reason, count in funnel.removed:
        left -= count
        rows.append((reason, max(left, 0), count))
    return rows


def month_curve(run: Run) -> Curves | None:
    """Articles a month over the years (x in years), gaps as zeros; None with fewer than two months."""
    months = {name: n for name, n in (run.crawl.by_month if run.crawl else {}).items() if _month(name) is not None}
    numbers = {index: count for name, count in months.items() if (index := _month(name)) is not None}
    if len(numbers) < 2:
        return None
    span = range(min(numbers), max(numbers) + 1)
    pairs = [(index / 12, float(numbers.get(index, 0))) for index in span]
    line = _series(run.name, "kept", pairs)
    return Curves(
        f"months-{run.name}", "Articles by month of publication", "year", "articles", (line,), x_scale="years"
    )


def _month(name: str) -> int | None:
    """Months since year 0 of YYYY-MM."""
    year, _, month = name.partition("-")
    if len(name) != 7 or not (year + month).isascii() or not (year + month).isdigit() or not 1 <= int(month) <= 12:
        return None
    return int(year) * 12 + int(month) - 1


def score_dots(runs: Sequence[Run]) -> Dots | None:
    """A row a task and run."""
    rows = [
        DotRow(
            f"{score.task} · {run.name}",
            run_colour(number),
            tuple(seed.test for seed in score.seeds if seed.test is not None),
            score.mean,
            score.std,
            score.majority_baseline,
        )
        for number, run in enumerate(runs)
        for score in run.scores
    ]
    metrics = sorted({score.metric for run in runs for score in run.scores})
    return Dots("scores", "Scores on the test sets", ", ".join(metrics), tuple(rows)) if rows else None


def sweep_charts(run: Run) -> tuple[Curves, ...]:
    """The sweep's validation score against the learning rate, and each trial's learning curve."""
    if run.sweep is None:
        return ()
    charts = (_against_lr(run.name, run.sweep), _learning(run.name, run.sweep))
    return tuple(chart for chart in charts if chart.series)


def _against_lr(name: str, sweep: Sweep) -> Curves:
    groups: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
    for trial in sweep.trials:
        if trial.lr is not None and trial.best is not None:
            groups.setdefault(_look(trial.name, trial.state, sweep), []).append((trial.lr, trial.best, trial.name))
    series = []
    for (label, colour), dots in groups.items():
        xs, ys, names = zip(*dots, strict=True)
        series.append(Series(label, colour, xs, ys, points=True, names=tuple(f"trial {n}" for n in names)))
    return Curves(
        f"sweep-lr-{name}", "Validation against learning rate", "learning rate (log)", "best validation score",
        tuple(series), x_scale="log",
    )  # fmt: skip


def _learning(name: str, sweep: Sweep) -> Curves:
    series = []
    # The winner is drawn last, over the others.
    for trial in sorted(sweep.trials, key=lambda trial: trial.name == sweep.winner):
        if trial.validation:
            xs, ys = zip(*trial.validation, strict=True)
            colour = _look(trial.name, trial.state, sweep)[1]
            series.append(Series(f"trial {trial.name}", colour, xs, ys, dashed=trial.state == "stopped"))
    return Curves(
        f"sweep-epochs-{name}", "Learning curves of the trials", "epoch", "validation score", tuple(series),
        x_scale="epochs",
    )  # fmt: skip


def _look(name: str, state: str, sweep: Sweep) -> tuple[str, str]:
    if name == sweep.winner:
        return "winner", "accent"
    return (f"{state} by ASHA", "muted") if state == "stopped" else (state, "run0")
