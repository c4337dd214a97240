"""Cross entropy over a vocabulary that overwrites its scores: of M x V numbers one copy exists, not four."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from korbert.model.layout import IGNORED


def summed_cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy in nats, summed over the rows whose label is not IGNORED: scores (M, V), labels (M,) -> ().

    On the CPU in fp32 the scores' memory is used up: nobody may read them afterwards, and there is one backward pass
    (a second one is refused by torch). Elsewhere, and where torch compiles, it is torch's own.
    """
    if scores.device.type == "cpu" and scores.dtype == torch.float32 and not torch.compiler.is_compiling():
        loss: Tensor = _Overwriting.apply(scores, labels)  # type: ignore[no-untyped-call]
        return loss
    return F.cross_entropy(scores.float(), labels, reduction="sum", ignore_index=IGNORED)


def hits(scores: Tensor, labels: Tensor) -> Tensor:
    """Rows whose most likely entry is the label: scores (M, V), labels (M,) -> int64 ().

    In fp32 by the greatest score, which the CPU finds in a fifth of the time of its place; equal greatest scores, which
    only narrower types have in practice, would all count.
    """
    if scores.dtype != torch.float32:
        return (scores.argmax(-1) == labels).sum()
    own = scores.gather(-1, labels.clamp(min=0)[:, None])[:, 0]
    return ((own >= scores.amax(-1)) & (labels != IGNORED)).sum()


class _Overwriting(torch.autograd.Function):
    """scores -> their logarithmic softmax, in place; in the backward pass -> softmax - one-hot, in place again."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, labels: Tensor) -> Tensor:
        logs = scores.detach()
        torch.log_softmax(logs, -1, out=logs)
        ctx.save_for_backward(logs, labels)
        return F.nll_loss(logs, labels, reduction="sum", ignore_index=IGNORED)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        logs, labels = ctx.saved_tensors
        # By multiplication, not by picking rows: no shape depends on the labels (`training.static_shapes`).
        seen = (labels != IGNORED)[:, None]
        change = logs.exp_()
        change.scatter_add_(1, labels.clamp(min=0)[:, None], change.new_full((len(labels), 1), -1.0))
        return change.mul_(gradients[0] * seen), None
