"""A BERT classifier reads the first token alone, so its last layer need not compute the others.

Keys and values of the last layer still come from all tokens; query, attention output and feed-forward, ten of its
twelve width x width products, are computed for [CLS] only. The answer is the same (up to rounding). It spares about
0.8 of a layer: a fifth of the work with four layers.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import BertForSequenceClassification, PreTrainedModel
from transformers.models.bert.modeling_bert import BertLayer


def read_first_token_only(model: PreTrainedModel) -> PreTrainedModel:
    """Makes the last layer of a BERT classifier answer (b, 1, width); leaves every other model as it is."""
    if isinstance(model, BertForSequenceClassification) and model.config._attn_implementation == "sdpa":
        last = model.bert.encoder.layer[-1]
        last.forward = MethodType(_first_token, last)
    return model


def _first_token(layer: BertLayer, states: torch.Tensor, mask: torch.Tensor | None = None, *_: Any, **__: Any) -> Any:
    """The layer's output for the first token.

    Args:
        layer: Where it is bound.
        states: (b, t, width) hidden states.
        mask: (b, 1, t, t) attention mask, or None.
    """
    attention = layer.attention.self
    first = states[:, :1]
    query, key, value = (
        _heads(projected, attention.num_attention_heads)
        for projected in (attention.query(first), attention.key(states), attention.value(states))
    )
    context = scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=None if mask is None else mask[:, :, :1],
        dropout_p=attention.dropout.p if layer.training else 0.0,
        scale=attention.scaling,
    )
    attended = layer.attention.output(context.transpose(1, 2).flatten(2), first)
    return layer.output(layer.intermediate(attended), attended)


def _heads(projected: torch.Tensor, heads: int) -> torch.Tensor:
    """(b, t, width) as (b, heads, t, width / heads)."""
    batch, tokens, width = projected.shape
    return projected.view(batch, tokens, heads, width // heads).transpose(1, 2)
