"""What a trial is judged by: the scores of all its tasks on validation rows as one number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from korbert.benchmarks.batches import EncodedRows
from korbert.benchmarks.metrics import METRICS
from korbert.tasks import Task


def online(objective: str, scores: Mapping[str, float], constants: Mapping[str, float]) -> float:
    """What a trial reports after an epoch: its only task's score, or the mean over the tasks.

    Args:
        objective: tune.objective; with mean_rank, trials under way are compared by mean_normalised.
        scores: By task.
        constants: What one constant answer scores, by task.
    """
    if len(scores) == 1 or objective == "score":
        return math.fsum(scores.values()) / len(scores)
    return math.fsum(normalised(score, constants[task]) for task, score in scores.items()) / len(scores)


def normalised(score: float, constant: float) -> float:
    """0 for what a constant answer scores, 1 for a perfect score; below 0 for less."""
    return (score - constant) / (1 - constant) if constant < 1 else 0.0


def final(objective: str, candidates: Sequence[Mapping[str, float]], online_values: Sequence[float]) -> list[float]:
    """What each candidate is chosen by when all are done, higher is better; with mean_rank, minus the mean of its
    ranks over the tasks (1 is the best; equals share the mean of their places).

    Args:
        objective: tune.objective.
        candidates: Each one's scores by task, at its best epoch.
        online_values: What `online` gave there.
    """
    if objective != "mean_rank" or not candidates or len(candidates[0]) == 1:
        return list(online_values)
    ranks = [ranked([scores[task] for scores in candidates]) for task in candidates[0]]
    return [-math.fsum(places) / len(places) for places in zip(*ranks, strict=True)]


def ranked(values: Sequence[float]) -> list[float]:
    """The rank of each value, 1 for the greatest; equals share the mean of their places."""
    return [
        1 + sum(other > value for other in values) + (sum(other == value for other in values) - 1) / 2
        for value in values
    ]


def constant_score(task: Task, rows: EncodedRows) -> float:
    """What answering the same on every row scores: the most frequent label, or 0 where there are no labels to count."""
    if not np.issubdtype(rows.gold.dtype, np.integer) or not len(task.labels):
        return 0.0
    answers = np.full_like(rows.gold, np.bincount(rows.gold[rows.gold >= 0]).argmax())
    return METRICS[task.metric].score(answers, rows, task.labels)
