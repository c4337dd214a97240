"""The grid is the published one at BERT-base's width, lies inside the space at any, and can be set."""

from dataclasses import replace
from typing import Any

import pytest

from korbert import recipes
from korbert.config import TuneConfig, overridden
from tune.space import Space, overrides


def space(width: int = 768, **fields: Any) -> Space:
    return Space.of(replace(TuneConfig(epochs=4), **fields), {"export": width}, 64)


def test_at_width_768_the_grid_is_the_published_one() -> None:
    assert {(point["lr"], point["batch"]) for point in space().grid()} == {
        (rate, batch) for rate in (2e-5, 3e-5, 5e-5) for batch in (16, 32)
    }


def test_narrower_encoders_are_offered_higher_rates() -> None:
    rates = [point["lr"] for point in space(128).grid()]
    assert max(rates) == pytest.approx(3e-4)
    assert rates == sorted(rates[:3], reverse=True) * 2


@pytest.mark.parametrize("width", [32, 128, 256, 768, 1024])
@pytest.mark.parametrize("fields", [{}, {"batches": (8,), "epoch_choices": (2, 4), "lengths": (32, 64)}])
def test_every_grid_point_lies_in_the_space(width: int, fields: dict[str, Any]) -> None:
    distributions = space(width, **fields).distributions()
    points = space(width, **fields).grid()
    assert points
    for point in points:
        assert point.keys() == distributions.keys()
        for name, value in point.items():
            assert distributions[name]._contains(distributions[name].to_internal_repr(value))


def test_grid_points_are_all_different() -> None:
    points = space(rates=(1e-4,)).grid()
    assert [(point["lr"], point["batch"]) for point in points] == [(1e-4, 32), (1e-4, 16)]


def test_several_encoders_take_turns_each_with_rates_of_its_own_width() -> None:
    both = Space.of(TuneConfig(), {"narrow": 128, "wide": 768}, 64)
    assert [(point["model"], point["lr"]) for point in both.grid()[:2]] == [("narrow", 3e-4), ("wide", 5e-5)]
    assert both.rates == (1e-5, 6e-4)
    assert both.distributions()["model"].choices == ("narrow", "wide")  # type: ignore[attr-defined]


def test_a_field_with_one_value_fixes_its_dimension_and_with_several_opens_it() -> None:
    found = space(layer_decays=(0.8, 0.9), dropouts=(0.2,), epoch_choices=(2, 3)).distributions()
    assert found["layer_decay"].choices == (0.8, 0.9)  # type: ignore[attr-defined]
    assert found["epochs"].choices == (2, 3)  # type: ignore[attr-defined]
    assert found["dropout"].single()
    assert found["max_tokens"].single()


def test_population_based_training_changes_what_a_trial_may_change_on_its_way() -> None:
    assert set(space().mutations()) == {"lr", "batch", "weight_decay", "dropout"}
    assert set(space(rates=(1e-4,)).mutations()) == {"batch", "weight_decay", "dropout"}
    # A list is kept to; of one of Ray's domains a population makes values between.
    assert sorted(space().mutations()["batch"]) == [16, 32]


def test_a_choice_can_be_given_to_a_run() -> None:
    point = space(256, layer_decays=(0.9,)).grid()[3]
    finetune = overridden(recipes.small(), overrides(point)).finetune
    assert {name: getattr(finetune, name) for name in point if name != "model"} == {
        name: value for name, value in point.items() if name != "model"
    }
