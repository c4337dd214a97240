"""The grid is the published one at BERT-base's width, lies inside Optuna's space at any, and can be set."""

import pytest

from korbert import recipes
from korbert.config import overridden
from tune.space import grid, overrides, space


def test_at_width_768_the_grid_is_the_published_one() -> None:
    assert {(point["lr"], point["batch"]) for point in grid(768)} == {
        (rate, batch) for rate in (2e-5, 3e-5, 5e-5) for batch in (16, 32)
    }


def test_narrower_encoders_are_offered_higher_rates() -> None:
    assert max(point["lr"] for point in grid(128)) == pytest.approx(3e-4)
    assert [point["lr"] for point in grid(128)] == sorted((p["lr"] for p in grid(128)[:3]), reverse=True) * 2


@pytest.mark.parametrize("width", [32, 128, 256, 768, 1024])
def test_every_grid_point_lies_in_the_space(width: int) -> None:
    distributions = space(width)
    for point in grid(width):
        assert point.keys() == distributions.keys()
        for name, value in point.items():
            assert distributions[name]._contains(distributions[name].to_internal_repr(value))


def test_grid_points_are_all_different() -> None:
    assert len({tuple(point.items()) for point in grid(256)}) == len(grid(256)) == 6


def test_a_choice_can_be_given_to_a_run() -> None:
    point = grid(256)[3]
    finetune = overridden(recipes.small(), overrides(point)).finetune
    assert {name: getattr(finetune, name) for name in point} == point
