"""A step of AdamW after clipping, the parameters divided among a crew.

What torch's `clip_grad_norm_` and the optimiser's own `step` do, on several cores and without a pass over memory that
only scales the gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from korbert.benchmarks.crew import Crew

TINY = 1e-6
"""What `torch.nn.utils.clip_grad_norm_` adds to the norm that it divides by."""

Share = list[tuple[dict[str, Any], list[Tensor]]]
"""Groups of the optimiser and those of their parameters that one of the crew steps."""


def shares(optimizer: torch.optim.AdamW, count: int) -> list[Share]:
    """The optimiser's parameters in at most `count` shares of like size, none of them empty."""
    each = [(group, parameter) for group in optimizer.param_groups for parameter in group["params"]]
    sizes = [0] * count
    taken: list[list[tuple[dict[str, Any], Tensor]]] = [[] for _ in range(count)]
    for group, parameter in sorted(each, key=lambda one: -one[1].numel()):
        place = sizes.index(min(sizes))
        sizes[place] += parameter.numel()
        taken[place].append((group, parameter))
    return [
        [(group, own) for group in optimizer.param_groups if (own := [p for g, p in share if g is group])]
        for share in taken
        if share
    ]


def begin(optimizer: torch.optim.AdamW) -> None:
    """Gives parameters without a state the one that their first step would."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if not optimizer.state[parameter]:
                optimizer.state[parameter] = {
                    "step": torch.zeros((), dtype=torch.float32),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }


def clipped_step(optimizer: torch.optim.AdamW, divided: Sequence[Share], crew: Crew, most: float) -> None:
    """One step; gradients whose norm over all shares is above `most` count for so much less.

    Args:
        optimizer: fused, every parameter with a gradient and a state (see `begin`).
        divided: its parameters, see `shares`.
        crew: who steps them.
        most: the norm that gradients may have.
    """
    norm = torch.linalg.vector_norm(torch.stack(crew.each(_norm, divided)))
    # The fused kernel divides by it.
    scale = ((norm + TINY) / most).clamp(min=1.0)

    def step(share: Share) -> None:
        for group, parameters in share:
            _step(optimizer, group, parameters, scale)

    crew.each(step, divided)


@torch.no_grad()
def _norm(share: Share) -> Tensor:
    return torch.nn.utils.get_total_norm([p.grad for _, parameters in share for p in parameters if p.grad is not None])


@torch.no_grad()
def _step(optimizer: torch.optim.AdamW, group: dict[str, Any], parameters: list[Tensor], scale: Tensor) -> None:
    states = [optimizer.state[parameter] for parameter in parameters]
    beta1, beta2 = group["betas"]
    adamw(
        parameters,
        [p.grad for p in parameters if p.grad is not None],
        [state["exp_avg"] for state in states],
        [state["exp_avg_sq"] for state in states],
        [],
        [state["step"] for state in states],
        fused=True,
        grad_scale=scale,
        found_inf=torch.zeros(()),
        amsgrad=False,
        beta1=beta1,
        beta2=beta2,
        lr=group["lr"],
        weight_decay=group["weight_decay"],
        eps=group["eps"],
        maximize=False,
    )
