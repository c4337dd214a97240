"""Records of the stages' files -> plain data. A value of another kind than expected is None, never an error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from korbert.report.numbers import finite
from korbert.report.runs import HeldOut, Point, Score, SeedScore, Trial


def line(raw: bytes) -> dict[str, Any] | None:
    """The JSON object of a line; None for a line that holds none."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def point(record: dict[str, Any]) -> Point | None:
    """One line of metrics; None without a step."""
    step = count(record.get("step"))
    if step is None:
        return None
    names = ("tokens", "mlm", "sop", "loss", "mlm_accuracy", "sop_accuracy", "tokens_per_second")
    values: dict[str, Any] = {name: finite(record.get(name)) for name in names}
    cost: dict[str, Any] = {name: finite(record.get(name)) for name in ("seconds", "mfu", "lr")}
    numbers: dict[str, Any] = {name: count(record.get(name)) or 0 for name in ("attempt", "recoveries")}
    return Point(step, **values, **numbers, **cost)


def held_out(record: dict[str, Any], points: Sequence[Point]) -> HeldOut | None:
    """A line of metrics that holds an evaluation; None for one that holds none. `points` are the lines before it."""
    found, step = record.get("held_out"), count(record.get("step"))
    if not isinstance(found, dict) or step is None:
        return None
    names = ("mlm", "sop", "mlm_accuracy", "sop_accuracy", "bits_per_character")
    last = next((point for point in reversed(points) if point.step <= step), None)
    effort: dict[str, Any] = (
        {"tokens": last.tokens, "seconds": last.seconds} if last else dict.fromkeys(("tokens", "seconds"))
    )
    return HeldOut(step, **effort, **{name: finite(found.get(name)) for name in names})


def appended(points: list[Point], point: Point) -> bool:
    """Adds a point. A later attempt's steps replace those it does again; otherwise steps only rise."""
    if points and point.attempt > points[-1].attempt:
        while points and points[-1].step >= point.step:
            points.pop()
    elif points and point.step <= points[-1].step:
        return False
    points.append(point)
    return True


def score(row: dict[str, Any]) -> Score:
    """A task's record in scores.json."""
    sizes: dict[str, Any] = {name: count(row.get(name)) for name in ("n_train", "n_validation", "n_test")}
    real: dict[str, Any] = {name: finite(row.get(name)) for name in ("mean", "std", "majority_baseline")}
    seeds = tuple(_seed(item) for item in objects(row.get("seeds")))
    texts: dict[str, Any] = {name: str(row[name]) for name in ("baseline_is", "remark") if row.get(name)}
    return Score(str(row["task"]), str(row.get("metric", "score")), **sizes, seeds=seeds, **real, **texts)


def _seed(row: dict[str, Any]) -> SeedScore:
    return SeedScore(
        seed=count(row.get("seed")) or 0,
        test=finite(row.get("test")),
        best_epoch=count(row.get("best_epoch")),
        validation=tuple(value for value in map(finite, _list(row.get("validation"))) if value is not None),
        seconds=finite(row.get("seconds")),
    )


def trial(row: dict[str, Any]) -> Trial:
    """A trial's record in trials.json; `finetune.lr` and `lr` are one field."""
    epochs = [(finite(epoch.get("epoch")), finite(epoch.get("validation"))) for epoch in objects(row.get("epochs"))]
    validation = tuple((epoch, value) for epoch, value in epochs if epoch is not None and value is not None)
    config = row.get("config")
    flat = {str(k).rpartition(".")[2]: v for k, v in config.items()} if isinstance(config, dict) else {}
    state = str(row.get("state", "unknown"))
    return Trial(
        str(row.get("trial", "")), flat, validation, finite(row.get("best")), state, finite(row.get("seconds"))
    )


def count(value: object) -> int | None:
    """A whole number from 0; None for anything else."""
    number = finite(value)
    return None if number is None or number < 0 else round(number)


def counts(value: object) -> dict[str, int]:
    """The entries of an object that are counts."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {str(name): count for name, count in ((n, count(v)) for n, v in pairs) if count is not None}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list; what is none of both is left out."""
    return [item for item in _list(value) if isinstance(item, dict)]
