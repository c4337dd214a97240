"""BERT's layers over rows that lie one after another, without padding: forwards and, by hand, backwards.

T tokens of S rows, width C, H heads. The arithmetic is that of transformers' `BertLayer`; autograd's own records of a
layer are three dozen, this is one, and what dropout, residual and bias need has no pass over memory of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.models.bert.modeling_bert import BertLayer

_attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_attention_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
_norm_backward = torch.ops.aten.native_layer_norm_backward
_gelu_backward = torch.ops.aten.gelu_backward


class Group(NamedTuple):
    """Neighbouring rows of one length."""

    rows: int
    length: int


class Weights(NamedTuple):
    """A layer's, by the modules' order in transformers."""

    query: Tensor
    query_bias: Tensor
    key: Tensor
    key_bias: Tensor
    value: Tensor
    value_bias: Tensor
    attended: Tensor
    attended_bias: Tensor
    attended_norm: Tensor
    attended_norm_bias: Tensor
    up: Tensor
    up_bias: Tensor
    down: Tensor
    down_bias: Tensor
    norm: Tensor
    norm_bias: Tensor

    @classmethod
    def of(cls, layer: BertLayer) -> Weights:
        """The parameters themselves."""
        attention, attended = layer.attention.self, layer.attention.output
        modules = (
            attention.query, attention.key, attention.value, attended.dense, attended.LayerNorm,
            layer.intermediate.dense, layer.output.dense, layer.output.LayerNorm,
        )  # fmt: skip
        return cls(*(value for module in modules for value in (module.weight, module.bias)))


def whole(
    hidden: Tensor, weights: Weights, groups: Sequence[Group], heads: int, eps: float, drops: Sequence[Tensor] | None
) -> Tensor:
    """A layer for every token: (T, C) -> (T, C).

    Args:
        hidden: hidden states.
        weights: the layer's.
        groups: the rows, in their order.
        heads: of attention.
        eps: the norms'.
        drops: (T, C) each, what dropout multiplies attention's output and the feed-forward's with; None: no dropout.
    """
    output: Tensor = _Whole.apply(hidden, groups, heads, eps, drops, *weights)  # type: ignore[no-untyped-call]
    return output


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, groups: Sequence[Group], heads: int, eps: float, drops: Sequence[Tensor] | None,
        *weights: Tensor,
    ) -> Tensor:  # fmt: skip
        w = Weights(*weights)
        mixed, fed = drops or (None, None)
        projections = ((w.query, w.query_bias), (w.key, w.key_bias), (w.value, w.value_bias))
        qkv = [F.linear(hidden, weight, bias) for weight, bias in projections]
        attended, sums = zip(*(_attention(*states)[:2] for states in _grouped(qkv, groups, heads)), strict=True)
        context = _flat(attended)
        first = _dropped_onto(hidden, F.linear(context, w.attended, w.attended_bias), mixed)
        middle, *middle_norm = torch.native_layer_norm(
            first, hidden.shape[-1:], w.attended_norm, w.attended_norm_bias, eps
        )
        up = F.linear(middle, w.up, w.up_bias)
        active = F.gelu(up)
        second = _dropped_onto(middle, F.linear(active, w.down, w.down_bias), fed)
        output, *norm = torch.native_layer_norm(second, hidden.shape[-1:], w.norm, w.norm_bias, eps)
        ctx.groups, ctx.heads, ctx.drops = groups, heads, (mixed, fed)
        ctx.saved = (hidden, qkv, attended, sums, context, first, middle, middle_norm, up, active, second, norm)
        ctx.save_for_backward(*weights)
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        w = Weights(*ctx.saved_tensors)
        hidden, qkv, attended, sums, context, first, middle, middle_norm, up, active, second, norm = ctx.saved
        shape, all_three = hidden.shape[-1:], [True] * 3
        onto, norm_weight, norm_bias = _norm_backward(
            gradients[0], second, shape, *norm, w.norm, w.norm_bias, all_three
        )
        # Without dropout `down` and `mixed` are `onto`: their products are taken before it goes on.
        down = _dropped(onto, ctx.drops[1])
        rise = _gelu_backward(down @ w.down, up)
        fed = [rise.t() @ middle, rise.sum(0), down.t() @ active, down.sum(0), norm_weight, norm_bias]
        onto, middle_weight, middle_bias = _norm_backward(
            onto.addmm_(rise, w.up), first, shape, *middle_norm, w.attended_norm, w.attended_norm_bias, all_three
        )
        mixed = _dropped(onto, ctx.drops[0])
        into = _split(mixed @ w.attended, ctx.groups)
        mixing = [mixed.t() @ context, mixed.sum(0), middle_weight, middle_bias]
        parts = [
            _attention_backward(_by_head(change, group, ctx.heads), *states, output, total, 0.0, False)
            for change, group, states, output, total in zip(
                into, ctx.groups, _grouped(qkv, ctx.groups, ctx.heads), attended, sums, strict=True
            )
        ]
        attending: list[Tensor] = []
        for changes, weight in zip(zip(*parts, strict=True), (w.query, w.key, w.value), strict=True):
            change = _flat(changes)
            onto.addmm_(change, weight)
            attending += [change.t() @ hidden, change.sum(0)]
        return onto, None, None, None, None, *attending, *mixing, *fed


def first_tokens(
    hidden: Tensor, weights: Weights, groups: Sequence[Group], heads: int, eps: float, drops: Sequence[Tensor] | None
) -> Tensor:
    """A layer for each row's first token alone: (T, C) -> (S, C); arguments as `whole` has them, drops of (S, C).

    One query a row asks for no keys and values: q . (K x) = (q K) . x, and a mean of values is the value of the mean,
    so both matrices meet one vector a row and head. The keys' bias moves all scores of a row alike and drops out.
    """
    w, (mixed, last) = weights, drops or (None, None)
    rows = _split(hidden, groups)
    first = torch.cat([part.view(*group, -1)[:, 0] for part, group in zip(rows, groups, strict=True)])
    width = hidden.shape[1] // heads
    query = F.linear(first, w.query, w.query_bias).view(-1, heads, width).transpose(0, 1) * width**-0.5
    asked = (query @ w.key.view(heads, width, -1)).transpose(0, 1)  # (S, H, C)
    means = []
    for part, question, group in zip(rows, torch.split(asked, [group.rows for group in groups]), groups, strict=True):
        states = part.view(*group, -1)
        means.append((question @ states.transpose(1, 2)).softmax(dim=-1) @ states)  # (rows, H, C)
    mean = torch.cat(means).transpose(0, 1)
    context = (mean @ w.value.view(heads, width, -1).transpose(1, 2)).transpose(0, 1).flatten(1) + w.value_bias
    middle = _dropped_onto(first, F.linear(context, w.attended, w.attended_bias), mixed)
    middle = F.layer_norm(middle, middle.shape[-1:], w.attended_norm, w.attended_norm_bias, eps)
    fed = F.linear(F.gelu(F.linear(middle, w.up, w.up_bias)), w.down, w.down_bias)
    return F.layer_norm(_dropped_onto(middle, fed, last), fed.shape[-1:], w.norm, w.norm_bias, eps)


def _grouped(parts: Sequence[Tensor], groups: Sequence[Group], heads: int) -> list[tuple[Tensor, ...]]:
    """(T, C) each -> by group, views (rows, H, length, C / H) of each."""
    pieces = zip(*(_split(part, groups) for part in parts), strict=True)
    return [tuple(_by_head(piece, group, heads) for piece in each) for each, group in zip(pieces, groups, strict=True)]


def _split(states: Tensor, groups: Sequence[Group]) -> Sequence[Tensor]:
    """(T, C) -> by group, views (rows x length, C)."""
    return torch.split(states, [group.rows * group.length for group in groups])


def _by_head(piece: Tensor, group: Group, heads: int) -> Tensor:
    """(rows x length, C) -> (rows, H, length, C / H), a view."""
    return piece.view(*group, heads, -1).transpose(1, 2)


def _flat(pieces: Sequence[Tensor]) -> Tensor:
    """By group (rows, H, length, C / H) -> (T, C)."""
    flat = [piece.transpose(1, 2).flatten(2).flatten(0, 1) for piece in pieces]
    return flat[0] if len(flat) == 1 else torch.cat(flat)


def _dropped_onto(base: Tensor, change: Tensor, drop: Tensor | None) -> Tensor:
    """`change`, after dropout, added to `base`."""
    return base + change if drop is None else torch.addcmul(base, change, drop)


def _dropped(gradient: Tensor, drop: Tensor | None) -> Tensor:
    """The gradient before dropout of that after it."""
    return gradient if drop is None else gradient * drop
