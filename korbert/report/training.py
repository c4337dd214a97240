"""One training at its end: what it came to, in words and as one picture. Pure but for matplotlib."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence

from korbert.report import charts
from korbert.report.compare import aligned, row
from korbert.report.numbers import duration, fixed, percent, whole
from korbert.report.runs import HeldOut, Pretraining, Run
from korbert.report.shapes import Curves

CHARTS = ("mlm", "sop", "loss", charts.BITS, "lr", "speed")
"""What the picture holds, in this order."""


def curves(run: Run) -> tuple[Curves, ...]:
    """The picture's charts; those without a value fall out."""
    drawn = {chart.name: chart for chart in charts.training_curves([run])}
    return tuple(drawn[name] for name in CHARTS if name in drawn)


def picture(run: Run) -> bytes | None:
    """The charts as PNG; None without a curve or without matplotlib."""
    drawn = curves(run)
    if not drawn or importlib.util.find_spec("matplotlib") is None:
        return None
    from korbert.report import png

    return png.curves(drawn, f"Pre-training: {run.name}")


def text(run: Run) -> str:
    """A few lines: effort, losses beside what a model pays that knows nothing, and interruptions."""
    found = run.pretraining
    if found is None or not found.points:
        return f"pre-training of {run.name}: no step is done yet"
    return "\n".join([_effort(run, found), "", aligned(_losses(found)), "", _interruptions(found)])


def _effort(run: Run, found: Pretraining) -> str:
    totals = row(run)
    assert totals is not None
    rate = f"{whole(totals.tokens_per_second)} tokens/s"
    share = "" if totals.mfu is None else f", MFU {percent(totals.mfu, 1)}"
    return (
        f"pre-training of {run.name}: {'finished' if found.finished else 'unfinished'} after {whole(totals.steps)} "
        f"steps, {whole(totals.tokens)} tokens in {duration(totals.seconds)} ({rate}{share})"
    )


def _losses(found: Pretraining) -> Sequence[Sequence[str]]:
    last, entropy = found.points[-1], found.unigram_entropy
    held = found.held_out[-1] if found.held_out else HeldOut(last.step, *(None,) * 7)
    both = None if entropy is None else entropy + math.log(2)
    rows: list[tuple[str, float | None, float | None, str]] = [
        ("MLM, nats", last.mlm, held.mlm, f"{fixed(entropy, 4)} (how often tokens occur)"),
        ("SOP, nats", last.sop, held.sop, f"{fixed(math.log(2), 4)} (ln 2)"),
        ("sum, nats", last.loss, held.loss, fixed(both, 4)),
        ("MLM accuracy", last.mlm_accuracy, held.mlm_accuracy, ""),
        ("SOP accuracy", last.sop_accuracy, held.sop_accuracy, "0.5"),
        ("bits a character", None, held.bits_per_character, ""),
    ]
    shown = [(name, fixed(trained, 4), fixed(asked, 4), nothing) for name, trained, asked, nothing in rows]
    return [("last values", "training", "held out", "knowing nothing"), *shown]


def _interruptions(found: Pretraining) -> str:
    recovered = found.points[-1].recoveries
    clean = found.audit.get("clean")
    said = {True: "clean: no sample lost, none repeated", False: "NOT clean"}.get(clean, "not made yet")  # type: ignore[arg-type]
    return f"restarts: {len(found.restarted_at)}, of them recoveries: {recovered}; audit: {said}"
