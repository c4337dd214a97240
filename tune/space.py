"""What a sweep tries: the published grid, scaled to the encoder's width, then what Optuna proposes around it.

Learning rates of 2e-5, 3e-5 and 5e-5 and batches of 16 and 32 are the grid of BERT (Devlin et al. 2019, A.3) and of
the Korean encoders' published code, for encoders of width 768. Adam's best rate falls with the width (Yang et al.
2022, Tensor Programs V, table 3: matrices 1/width), so a narrower encoder's rates are 768/width times higher; for
width 128 that gives 1.2e-4 to 3e-4, beside the 3e-4 of Turc et al. 2019 for their small BERTs. The sweep does not
start from finetune.lr: a winner written there leaves the sweep fresh.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

PUBLISHED_WIDTH = 768
RATES = (5e-5, 3e-5, 2e-5)
BATCHES = (32, 16)
# KF-DeBERTa's published grid has these two choices of warm-up and of decay; 0.1 is BERT's dropout.
WARMUPS = (0.1, 0.0)
DECAYS = (0.01, 0.0)
DROPOUTS = (0.1, 0.0)


@dataclass(frozen=True)
class Choice:
    """One trial's settings, named as the fields of section `finetune`."""

    lr: float
    batch: int
    warmup: float
    weight_decay: float
    dropout: float


def grid(width: int) -> list[dict[str, Any]]:
    """The published grid for an encoder of this width, boldest rate first: small encoders like it best."""
    return [
        asdict(Choice(scaled(rate, width), batch, WARMUPS[0], DECAYS[0], DROPOUTS[0]))
        for batch in BATCHES
        for rate in RATES
    ]


def space(width: int) -> dict[str, BaseDistribution]:
    """Optuna's search space: rates from half the grid's least to twice its greatest, and the published choices."""
    return {
        "lr": FloatDistribution(scaled(min(RATES) / 2, width), scaled(max(RATES) * 2, width), log=True),
        "batch": CategoricalDistribution(sorted(BATCHES)),
        "warmup": CategoricalDistribution(sorted(WARMUPS)),
        "weight_decay": CategoricalDistribution(sorted(DECAYS)),
        "dropout": CategoricalDistribution(sorted(DROPOUTS)),
    }


def scaled(rate: float, width: int) -> float:
    """A rate published for width 768 for an encoder of another width, to three digits."""
    return float(f"{rate * PUBLISHED_WIDTH / width:.3g}")


def overrides(choice: dict[str, Any]) -> list[str]:
    """A choice as the texts that `korbert run --set` takes."""
    return [f"finetune.{name}={value}" for name, value in choice.items()]
