"""Weights to and from transformers' `BertForPreTraining`, whose folder format every Korean BERT tool reads.

Only names and the fused query-key-value matrix differ; both ways are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from korbert.config import ModelConfig
from korbert.errors import UsageError
from korbert.model.bert import NORM_EPS

# Ours to theirs, outside the layers.
_NAMES = {
    "encoder.embeddings.tokens.weight": "bert.embeddings.word_embeddings.weight",
    "encoder.embeddings.positions.weight": "bert.embeddings.position_embeddings.weight",
    "encoder.embeddings.segments.weight": "bert.embeddings.token_type_embeddings.weight",
    "encoder.embeddings.norm.weight": "bert.embeddings.LayerNorm.weight",
    "encoder.embeddings.norm.bias": "bert.embeddings.LayerNorm.bias",
    "encoder.pooler.weight": "bert.pooler.dense.weight",
    "encoder.pooler.bias": "bert.pooler.dense.bias",
    "transform.weight": "cls.predictions.transform.dense.weight",
    "transform.bias": "cls.predictions.transform.dense.bias",
    "transform_norm.weight": "cls.predictions.transform.LayerNorm.weight",
    "transform_norm.bias": "cls.predictions.transform.LayerNorm.bias",
    "decoder_bias": "cls.predictions.bias",
    "order.weight": "cls.seq_relationship.weight",
    "order.bias": "cls.seq_relationship.bias",
}
_LAYER_NAMES = {
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "output_norm": "output.LayerNorm",
}
_QKV = ("query", "key", "value")


def to_transformers(weights: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Our `BertForPretraining` weights under transformers' names (tied decoder left out: its loader ties it)."""
    theirs = {name: weights[ours].contiguous() for ours, name in _NAMES.items()}
    for number in range(layers):
        ours, target = f"encoder.layers.{number}", f"bert.encoder.layer.{number}"
        for kind in ("weight", "bias"):
            parts = weights[f"{ours}.qkv.{kind}"].chunk(3)
            for name, part in zip(_QKV, parts, strict=True):
                theirs[f"{target}.attention.self.{name}.{kind}"] = part.contiguous()
            for mine, name in _LAYER_NAMES.items():
                theirs[f"{target}.{name}.{kind}"] = weights[f"{ours}.{mine}.{kind}"].contiguous()
    return theirs


def from_transformers(weights: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """The weights of transformers' `BertForPreTraining` under our names.

    Raises:
        UsageError: for a model that lacks one of them.
    """
    try:
        ours = {mine: weights[name] for mine, name in _NAMES.items()}
        for number in range(layers):
            target, source = f"encoder.layers.{number}", f"bert.encoder.layer.{number}"
            for kind in ("weight", "bias"):
                parts = [weights[f"{source}.attention.self.{name}.{kind}"] for name in _QKV]
                ours[f"{target}.qkv.{kind}"] = torch.cat(parts)
                for mine, name in _LAYER_NAMES.items():
                    ours[f"{target}.{mine}.{kind}"] = weights[f"{source}.{name}.{kind}"]
    except KeyError as error:
        raise UsageError(f"model: has no weight {error}; it must be a BertForPreTraining of {layers} layers") from error
    return ours


def transformers_config(shape: ModelConfig, vocab_size: int, pad_id: int) -> dict[str, Any]:
    """The fields of transformers' `BertConfig` for a model of this shape."""
    return {
        "architectures": ["BertForPreTraining"],
        "model_type": "bert",
        "vocab_size": vocab_size,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.intermediate,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": shape.max_positions,
        "type_vocab_size": 2,
        "initializer_range": 0.02,
        "layer_norm_eps": NORM_EPS,
        "pad_token_id": pad_id,
    }
