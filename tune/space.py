"""What a sweep tries: the published grid, scaled to the encoder's width, then what the search proposes around it.

Learning rates of 2e-5, 3e-5 and 5e-5 and batches of 16 and 32 are the grid of BERT (Devlin et al. 2019, A.3) and of
the Korean encoders' published code, for encoders of width 768. Adam's best rate falls with the width (Yang et al.
2022, Tensor Programs V, table 3: matrices 1/width), so a narrower encoder's rates are 768/width times higher; for
width 128 that gives 1.2e-4 to 3e-4, beside the 3e-4 of Turc et al. 2019 for their small BERTs. The sweep does not
start from finetune.lr: a winner written there leaves the sweep fresh. Beside these, KF-DeBERTa's published grid has
the two choices of warm-up and of decay; 0.1 is BERT's dropout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from ray import tune as ray_tune

from korbert.config import TuneConfig

PUBLISHED_WIDTH = 768
RATES = (5e-5, 3e-5, 2e-5)
PUBLISHED: dict[str, tuple[Any, ...]] = {
    "batch": (32, 16),
    "warmup": (0.1,),
    "weight_decay": (0.01,),
    "dropout": (0.1,),
}
"""The grid's values, the published code's first; where a range holds none of them, the range's own first is taken."""

Choice = dict[str, Any]
"""One trial's settings: "model", its name; the others are named as the fields of section `finetune`."""


@dataclass(frozen=True)
class Space:
    """What a sweep may choose from."""

    widths: Mapping[str, int]
    """Of each model, by its name."""
    rates: tuple[float, float]
    """Least and greatest learning rate; equal where it is fixed."""
    values: Mapping[str, tuple[Any, ...]]
    """Of each other setting; one value fixes it."""

    @classmethod
    def of(cls, config: TuneConfig, widths: Mapping[str, int], max_tokens: int) -> Space:
        """The space that the fields of section `tune` describe, for encoders of these widths."""
        least = min(scaled(min(RATES) / 2, width) for width in widths.values())
        greatest = max(scaled(max(RATES) * 2, width) for width in widths.values())
        values: dict[str, tuple[Any, ...]] = {
            "model": tuple(widths),
            "batch": config.batches,
            "epochs": config.epoch_choices or (config.epochs,),
            "warmup": config.warmups,
            "weight_decay": config.decays,
            "layer_decay": config.layer_decays,
            "dropout": config.dropouts,
            "max_tokens": config.lengths or (max_tokens,),
        }
        rates = (config.rates[0], config.rates[-1]) if config.rates else (least, greatest)
        return cls(widths, rates, values)

    def grid(self) -> list[Choice]:
        """The published grid within the space, boldest rate first: small encoders like it best.

        The models take turns, so that a short sweep has seen each.
        """
        published = {name: self._published(name) for name in self.values}
        points = [
            {"lr": self._inside(scaled(rate, width))}
            | {name: found[0] for name, found in published.items()}
            | {"batch": batch, "model": model}
            for batch in published["batch"]
            for rate in RATES
            for model, width in self.widths.items()
        ]
        return [point for number, point in enumerate(points) if point not in points[:number]]

    def distributions(self) -> dict[str, BaseDistribution]:
        """For Optuna."""
        least, greatest = self.rates
        found: dict[str, BaseDistribution] = {"lr": FloatDistribution(least, greatest, log=least < greatest)}
        return found | {name: CategoricalDistribution(sorted(values)) for name, values in self.values.items()}

    def domains(self) -> dict[str, Any]:
        """For Ray's own random search."""
        least, greatest = self.rates
        rate = ray_tune.loguniform(least, greatest) if least < greatest else ray_tune.choice([least])
        return {"lr": rate} | {name: ray_tune.choice(list(values)) for name, values in self.values.items()}

    def mutations(self) -> dict[str, Any]:
        """What population based training may change in the midst of a trial: it goes on from another's weights, so
        what the weights' shape, the rate's course or the rows depend on stays."""
        # Lists, not Ray's domains: of a domain it would make values between, a batch of 19 from one of 16.
        fields = [name for name in ("batch", "weight_decay", "dropout") if len(self.values[name]) > 1]
        rate = {"lr": self.domains()["lr"]} if self.rates[0] < self.rates[1] else {}
        return rate | {name: list(self.values[name]) for name in fields}

    def _published(self, name: str) -> tuple[Any, ...]:
        inside = tuple(value for value in PUBLISHED.get(name, ()) if value in self.values[name])
        most = (max(self.values[name]),) if name in ("epochs", "max_tokens", "layer_decay") else self.values[name][:1]
        return inside or most

    def _inside(self, rate: float) -> float:
        return min(max(rate, self.rates[0]), self.rates[1])


def scaled(rate: float, width: int) -> float:
    """A rate published for width 768 for an encoder of another width, to three digits."""
    return float(f"{rate * PUBLISHED_WIDTH / width:.3g}")


def overrides(choice: Mapping[str, Any]) -> list[str]:
    """A choice as the texts that `korbert run --set` takes."""
    return [f"finetune.{name}={value}" for name, value in choice.items() if name not in ("model", "seed")]
