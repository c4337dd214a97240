"""Several tasks' scores become one number, by the mean, above what a constant answer scores, or by ranks."""

import numpy as np
import pytest

from korbert import tasks
from korbert.benchmarks.batches import EncodedRows
from tune.goal import constant_score, final, online, ranked


def test_one_task_is_judged_by_its_metric_whatever_the_objective() -> None:
    for objective in ("score", "mean_rank", "mean_normalised"):
        assert online(objective, {"nsmc": 0.8}, {"nsmc": 0.5}) == 0.8
        assert final(objective, [{"nsmc": 0.8}, {"nsmc": 0.9}], [0.8, 0.9]) == [0.8, 0.9]


def test_normalised_scores_count_from_what_a_constant_answer_gives() -> None:
    scores, constants = {"nsmc": 0.75, "ner": 0.6}, {"nsmc": 0.5, "ner": 0.0}
    assert online("score", scores, constants) == pytest.approx(0.675)
    assert online("mean_normalised", scores, constants) == pytest.approx((0.5 + 0.6) / 2)
    assert online("mean_rank", scores, constants) == online("mean_normalised", scores, constants)


def test_the_mean_rank_lets_no_task_outweigh_another() -> None:
    candidates = [{"a": 0.99, "b": 0.10}, {"a": 0.50, "b": 0.12}, {"a": 0.51, "b": 0.11}]
    assert final("mean_rank", candidates, [0.9, 0.1, 0.1]) == [-2.0, -2.0, -2.0]
    assert final("mean_rank", candidates[1:], [0.1, 0.1]) == [-1.5, -1.5]


def test_equals_share_the_mean_of_their_places() -> None:
    assert ranked([0.3, 0.9, 0.3, 0.1]) == [2.5, 1.0, 2.5, 4.0]


def test_a_constant_answer_scores_the_share_of_the_larger_class() -> None:
    labels = np.asarray([1, 1, 1, 0], dtype=np.int64)
    rows = EncodedRows(np.zeros(4, dtype=np.int32), np.arange(1, 5, dtype=np.int64), labels)
    assert constant_score(tasks.task("nsmc"), rows) == 0.75
