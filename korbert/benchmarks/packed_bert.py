"""A BERT classifier in training on a CPU: rows without padding, the last layer for their first tokens, parts of a batch
on a core each. Scores and gradients are the plain model's, up to rounding and the numbers that dropout draws.

T tokens of S rows (of a part of the batch), width C, V entries of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from transformers import BertForSequenceClassification, PreTrainedModel
from transformers.models.bert.modeling_bert import BertLayer, BertSelfAttention

from korbert.benchmarks.batches import EncodedRows
from korbert.benchmarks.crew import Crew
from korbert.benchmarks.packed_layer import Group, Weights, first_tokens, whole

LEVELS = 1 << 16
"""Dropout's probability is rounded to a multiple of 1 / LEVELS, and what is kept is scaled by the rounded one."""
PER_WORD = 4
"""Numbers that one 64-bit draw gives."""


def can_pack(model: PreTrainedModel) -> bool:
    """Whether the model is one that `PackedBert` computes: a BERT classifier of whole rows, in fp32 on the CPU."""
    if not isinstance(model, BertForSequenceClassification) or model.device.type != "cpu":
        return False
    config = model.config
    plain = config.hidden_act == "gelu" and not config.is_decoder and not config.chunk_size_feed_forward
    drops = any(m.dropout.p for m in model.modules() if isinstance(m, BertSelfAttention))
    fits = config.hidden_size % PER_WORD == 0 and all(p.requires_grad for p in model.parameters())
    return plain and fits and not drops and model.dtype == torch.float32


@dataclass(frozen=True)
class Part:
    """Rows of a batch, one after another, shortest first."""

    tokens: Tensor
    """(T,)"""
    positions: Tensor
    """(T,)"""
    types: Tensor
    """(T,)"""
    groups: list[Group]
    before: tuple[int, int]
    """Tokens and rows of the batch that lie in earlier parts."""


class PackedBert:
    """Computes a classifier's scores; what backward finds is in the parameters' `grad`."""

    def __init__(self, model: PreTrainedModel, crew: Crew) -> None:
        assert isinstance(model, BertForSequenceClassification), type(model)
        self._model, self._crew = model, crew
        embeddings = model.bert.embeddings
        self._words = embeddings.word_embeddings
        self._layers = [Weights.of(layer) for layer in model.bert.encoder.layer if isinstance(layer, BertLayer)]
        self._inner = [
            *embeddings.position_embeddings.parameters(),
            *embeddings.token_type_embeddings.parameters(),
            *embeddings.LayerNorm.parameters(),
            *(weight for layer in self._layers for weight in layer),
        ]
        # Most rows of the vocabulary's gradient are 0, the same ones from step to step.
        self._words_gradient = torch.zeros_like(self._words.weight)
        self._written = torch.zeros(0, dtype=torch.int64)

    def scores(self, rows: EncodedRows, numbers: NDArray[np.int64]) -> Tensor:
        """(b, labels) of the rows of these numbers, in their order."""
        order = np.argsort(rows.lengths_of(numbers), kind="stable")
        parts = packed_parts(rows, numbers[order], self._crew.size, self._model.config.type_vocab_size > 1)
        seed = int(torch.randint(1 << 62, ()).item()) if self._model.training else None
        first: Tensor = _Encoded.apply(self._inner[0], self, parts, seed)  # type: ignore[no-untyped-call]
        pooler = self._model.bert.pooler
        assert pooler is not None
        pooled = pooler(first[torch.from_numpy(np.argsort(order)), None])
        scores: Tensor = self._model.classifier(self._model.dropout(pooled))
        return scores

    def forward(self, parts: Sequence[Part], seed: int | None) -> list[tuple[Tensor, Tensor]]:
        """Of each part the embeddings (T, C) that it looked up, and its first tokens' hidden states (S, C), with the
        record of how the second came from the first."""
        tokens = parts[-1].before[0] + len(parts[-1].tokens)
        return self._crew.each(self._part, parts, [seed] * len(parts), [tokens] * len(parts))

    def backward(self, parts: Sequence[Part], passed: Sequence[tuple[Tensor, Tensor]], change: Tensor) -> None:
        """Adds to the parameters' gradients what `change` (b, C) in all parts' first tokens makes of them."""
        sizes = [len(first) for _, first in passed]
        each = self._crew.each(self._part_gradients, passed, change.split(sizes))  # type: ignore[no-untyped-call]
        for place, parameter in enumerate(self._inner):
            found = each[0][place + 1]
            for other in each[1:]:
                found.add_(other[place + 1])
            parameter.grad = found if parameter.grad is None else parameter.grad.add_(found)
        self._keep_words(torch.cat([part.tokens for part in parts]), torch.cat([found[0] for found in each]))

    def _part(self, part: Part, seed: int | None, tokens: int) -> tuple[Tensor, Tensor]:
        config, embeddings = self._model.config, self._model.bert.embeddings
        drops = None
        if seed is not None and config.hidden_dropout_prob:
            drops = draws(part, tokens, len(self._layers), config.hidden_size, config.hidden_dropout_prob, seed)
        heads, eps = config.num_attention_heads, config.layer_norm_eps
        with torch.enable_grad():
            words = F.embedding(part.tokens, self._words.weight.detach()).requires_grad_()
            hidden = words + F.embedding(part.types, embeddings.token_type_embeddings.weight)
            hidden = embeddings.LayerNorm(hidden + F.embedding(part.positions, embeddings.position_embeddings.weight))
            hidden = hidden if drops is None else hidden * drops[0]
            for number, weights in enumerate(self._layers[:-1]):
                place = 2 * number + 1
                hidden = whole(hidden, weights, part.groups, heads, eps, drops and drops[place : place + 2])
            return words, first_tokens(hidden, self._layers[-1], part.groups, heads, eps, drops and drops[-2:])

    def _part_gradients(self, passed: tuple[Tensor, Tensor], change: Tensor) -> tuple[Tensor, ...]:
        words, first = passed
        return torch.autograd.grad(first, [words, *self._inner], change, materialize_grads=True)

    def _keep_words(self, tokens: Tensor, gradient: Tensor) -> None:
        """Sums the gradient (T, C) of looked-up embeddings by the tokens' ids (T,)."""
        weight = self._words.weight
        ids, places = torch.unique(tokens, return_inverse=True)
        pad = -1 if self._words.padding_idx is None else self._words.padding_idx
        places = torch.where(tokens == pad, len(ids), places)
        summed = torch.ops.aten.embedding_dense_backward(gradient, places, len(ids) + 1, len(ids), False)[:-1]
        if weight.grad is not None:
            weight.grad.index_add_(0, ids, summed)
            self._written = torch.cat([self._written, ids])
            return
        self._words_gradient.index_fill_(0, self._written, 0.0).index_copy_(0, ids, summed)
        weight.grad, self._written = self._words_gradient, ids


class _Encoded(torch.autograd.Function):
    """The encoder as autograd sees it from outside."""

    @staticmethod
    def forward(ctx: Any, _: Tensor, encoder: PackedBert, parts: Sequence[Part], seed: int | None) -> Tensor:
        ctx.encoder, ctx.parts, ctx.passed = encoder, parts, encoder.forward(parts, seed)
        return torch.cat([first.detach() for _, first in ctx.passed])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, ...]:
        ctx.encoder.backward(ctx.parts, ctx.passed, gradients[0])
        return None, None, None, None


def packed_parts(rows: EncodedRows, numbers: NDArray[np.int64], most: int, typed: bool) -> list[Part]:
    """The rows of these numbers, shortest first, in at most `most` parts of like many tokens; `typed`: with which text
    a token is of, else all of the first."""
    lengths = rows.lengths_of(numbers)
    tokens = np.concatenate([rows.row(number) for number in numbers])
    padded = rows.types(numbers, int(lengths.max())) if typed else None
    ends = np.cumsum(lengths)
    positions = np.arange(len(tokens)) - np.repeat(ends - lengths, lengths)
    kinds = np.zeros(len(tokens), dtype=np.int64)
    if padded is not None:
        kinds = padded.numpy()[np.repeat(np.arange(len(numbers)), lengths), positions]
    cuts = np.searchsorted(ends, len(tokens) * np.arange(1, most) / most, side="left") + 1
    bounds = sorted({0, *(int(cut) for cut in cuts if cut < len(numbers)), len(numbers)})
    parts = []
    for begin, end in pairwise(bounds):
        first = int(ends[begin] - lengths[begin])
        span = slice(first, int(ends[end - 1]))
        groups = [Group(len(list(same)), int(length)) for length, same in groupby(lengths[begin:end])]
        ids, places, types = (torch.from_numpy(v[span].astype(np.int64)) for v in (tokens, positions, kinds))
        parts.append(Part(ids, places, types, groups, (first, begin)))
    return parts


def draws(part: Part, tokens: int, layers: int, width: int, probability: float, seed: int) -> list[Tensor]:
    """What dropout multiplies with, 0 or a little above 1: (T, width) for the embeddings and twice a layer but the
    last, (S, width) twice for the last.

    A row's do not depend on how the batch is divided: they lie in the batch's draws where the row lies in the batch.

    Args:
        part: rows.
        tokens: of the whole batch.
        layers: of the model.
        width: of the hidden states, a multiple of PER_WORD.
        probability: to be dropped.
        seed: of the batch.
    """
    many, words = 2 * layers - 1, width // PER_WORD
    rows = sum(group.rows for group in part.groups)

    def kept(begin: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
        generator = np.random.Generator(np.random.PCG64DXSM(seed).advance(begin * words))
        size = shape[0] * shape[1] * words
        drawn = generator.integers(0, 1 << 64, size=size, dtype=np.uint64).view(np.uint16)
        return (drawn >= dropped).reshape(*shape, width)

    dropped = min(round(probability * LEVELS), LEVELS - 1)
    inside = kept(part.before[0] * many, (len(part.tokens), many))
    last = kept(tokens * many + part.before[1] * 2, (rows, 2))
    masks = [inside[:, place] for place in range(many)] + [last[:, place] for place in range(2)]
    return [torch.from_numpy(mask) * (LEVELS / (LEVELS - dropped)) for mask in masks]
