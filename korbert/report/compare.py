"""Several runs' pre-trainings side by side: their losses by step, by tokens and by seconds, and a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from korbert.config import to_dict
from korbert.report import charts
from korbert.report.runs import Run
from korbert.report.shapes import Curves

# What a chart of the comparison shows, a row each.
LOSSES = ("mlm", "sop", charts.BITS)
# Sections whose fields change what is trained and how fast; the others' concern other stages.
SECTIONS = ("corpus", "tokenizer", "data", "model", "training")


@dataclass(frozen=True)
class Row:
    """One run in the table; None: not known."""

    name: str
    finished: bool
    steps: int | None
    tokens: float | None
    seconds: float | None
    tokens_per_second: float | None
    """Over the whole training."""
    mfu: float | None
    """Mean over the lines of metrics."""
    mlm: float | None
    sop: float | None
    loss: float | None
    """The last line's, nats."""
    best: float | None
    """The lowest loss of a line."""
    restarts: int
    held_out: float | None = None
    """MLM of the last evaluation on held-out documents, nats."""
    bits_per_character: float | None = None
    """Of the same."""


def loss_curves(runs: Sequence[Run]) -> tuple[Curves, ...]:
    """The comparison's charts: a loss a row, a measure of effort a column."""
    drawn = {x: {chart.name: chart for chart in charts.training_curves(runs, x)} for x in charts.X_LABELS}
    return tuple(drawn[x][loss] for loss in LOSSES for x in charts.X_LABELS if loss in drawn[x])


def row(run: Run) -> Row | None:
    """A run's row; None for a run without a curve."""
    found = run.pretraining
    if found is None or not found.points:
        return None
    points, last = found.points, found.points[-1]
    speed = last.tokens / last.seconds if last.tokens and last.seconds else last.tokens_per_second
    shares = [point.mfu for point in points if point.mfu is not None]
    losses = [point.loss for point in points if point.loss is not None]
    return Row(
        name=run.name,
        finished=found.finished,
        steps=last.step,
        tokens=last.tokens,
        seconds=last.seconds,
        tokens_per_second=speed,
        mfu=sum(shares) / len(shares) if shares else None,
        mlm=last.mlm,
        sop=last.sop,
        loss=last.loss,
        best=min(losses, default=None),
        restarts=len(found.restarted_at),
        held_out=found.held_out[-1].mlm if found.held_out else None,
        bits_per_character=found.held_out[-1].bits_per_character if found.held_out else None,
    )


def table(runs: Sequence[Run]) -> str:
    """The rows as text, a run a line."""
    head = ("run", "steps", "tokens", "seconds", "tokens/s", "MFU", "MLM", "SOP", "loss", "best", "held out",
            "bits/char", "restarts")  # fmt: skip
    lines = [head, *(_cells(found) for run in runs if (found := row(run)))]
    return aligned(lines)


def differences(runs: Sequence[Run]) -> str:
    """Config fields that differ between the runs, a field a line; empty when none does."""
    known = [run for run in runs if run.config is not None]
    fields = [_fields(run) for run in known]
    names = sorted({name for of_run in fields for name in of_run})
    lines = [
        (name, *(_shown(of_run.get(name)) for of_run in fields))
        for name in names
        if len({repr(of_run.get(name)) for of_run in fields}) > 1
    ]
    return aligned([("field", *(run.name for run in known)), *lines]) if lines else ""


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Cells in columns: the first left, the others right."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        return "  ".join([first.strip().ljust(widths[0]), *others]).rstrip()

    return "\n".join(map(line, lines))


def _cells(found: Row) -> tuple[str, ...]:
    return (
        found.name + ("" if found.finished else " (unfinished)"),
        _number(found.steps, ",.0f"),
        _number(found.tokens, ",.0f"),
        _number(found.seconds, ",.0f"),
        _number(found.tokens_per_second, ",.0f"),
        _number(found.mfu, ".1%"),
        *(_number(value, ".4f") for value in (found.mlm, found.sop, found.loss, found.best, found.held_out)),
        _number(found.bits_per_character, ".3f"),
        str(found.restarts),
    )


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _fields(run: Run) -> dict[str, Any]:
    assert run.config is not None
    values = to_dict(run.config)
    flat = {f"{section}.{name}": value for section in SECTIONS for name, value in values[section].items()}
    return flat | {"seed": values["seed"]}


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) or "(none)" if isinstance(value, list) else str(value)
