"""AdamW, and its state by parameter name: independent of the number of workers and of parameter order."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from korbert.config import TrainingConfig

# Adam's first moment decay and epsilon: BERT's values (Devlin et al. 2019, released code).
BETA1 = 0.9
EPSILON = 1e-6
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def adamw(model: nn.Module, config: TrainingConfig, device: torch.device) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices only; one fused kernel where the device has it."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=config.lr,
        betas=(BETA1, config.beta2),
        eps=EPSILON,
        fused=device.type == "cuda",
    )


def state_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as named tensors, `exp_avg.<parameter>` and so on; empty before the first step."""
    return {
        f"{moment}.{name}": optimizer.state[parameter][moment]
        for name, parameter in model.named_parameters()
        if parameter in optimizer.state
        for moment in _MOMENTS
    }


def restore(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Puts `state_tensors`' answer back, on the parameters' devices."""
    for name, parameter in model.named_parameters():
        if f"step.{name}" in tensors:
            # A fused optimiser keeps its step counts on the device, the plain one on the CPU.
            fused = any(group.get("fused") for group in optimizer.param_groups)
            places = dict.fromkeys(_MOMENTS, parameter.device) | ({} if fused else {"step": torch.device("cpu")})
            optimizer.state[parameter] = {
                moment: tensors[f"{moment}.{name}"].clone().to(places[moment]) for moment in _MOMENTS
            }
