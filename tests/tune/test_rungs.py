"""A trial is judged at ASHA's rungs and at each epoch's end; between judgements lies one part of one epoch."""

from dataclasses import replace
from typing import Any

import pytest

from korbert.config import TuneConfig
from korbert.errors import UsageError
from tune.rungs import rungs, stretches

THREE = TuneConfig(epochs=3, parts=3, reduction=3)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, (1, 3)),
        ({"reduction": 2}, (1, 2, 4, 8)),
        ({"parts": 1}, (1,)),
        ({"parts": 4}, (1, 3, 9)),
        ({"scheduler": "none"}, ()),
        ({"scheduler": "pbt"}, ()),
    ],
    ids=str,
)
def test_each_rung_is_so_many_times_further_than_the_one_before(
    changes: dict[str, Any], found: tuple[int, ...]
) -> None:
    assert rungs(replace(THREE, **changes)) == found


def test_a_trial_is_judged_at_rungs_and_epochs_ends() -> None:
    assert list(stretches(3, 3, (1, 3), 0)) == [
        (1, (0, 1, 3)), (1, (1, 3, 3)), (2, (0, 3, 3)), (3, (0, 3, 3))
    ]  # fmt: skip


@pytest.mark.parametrize("done", [0, 1, 3, 6, 9])
def test_what_was_judged_before_is_not_trained_again(done: int) -> None:
    found = list(stretches(3, 3, (1, 3), done))
    covered = [(epoch - 1) * 3 + part for epoch, (begin, end, _) in found for part in range(begin, end)]
    assert covered == list(range(done, 9))


def test_a_shorter_trial_ends_at_its_own_last_epoch() -> None:
    assert [epoch for epoch, _ in stretches(1, 3, (1, 3, 9), 0)] == [1, 1]


@pytest.mark.parametrize(("field", "least"), [("parts", 1), ("reduction", 2)])
def test_too_small_a_number_is_refused(field: str, least: int) -> None:
    with pytest.raises(UsageError, match=f"tune.{field} = {least - 1}: must be at least {least}"):
        replace(THREE, **{field: least - 1})
