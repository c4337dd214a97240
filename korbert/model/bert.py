"""BERT (Devlin et al. 2019) for pre-training: masked tokens and sentence order (Lan et al. 2020, ALBERT).

Samples lie one after another without padding: T tokens of S samples, M of them masked, width C.
Same arithmetic as transformers' `BertForPreTraining`, whose two-way next-sentence head carries the sentence order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from korbert.config import ModelConfig
from korbert.model.attention import attend

# BERT's own values (its released code): initial weights' standard deviation, layer norm's epsilon.
INIT_STD = 0.02
NORM_EPS = 1e-12


class PretrainLosses(NamedTuple):
    """Sums over the micro-batch; who knows the global counts divides."""

    mlm: Tensor
    """Cross entropy in nats, summed over the M masked tokens."""
    sop: Tensor
    """Cross entropy in nats, summed over the S samples."""
    mlm_correct: Tensor
    """Masked tokens whose most likely prediction is right (int64, no gradient)."""
    sop_correct: Tensor
    """Samples whose order is told right (int64, no gradient)."""


class Embeddings(nn.Module):
    """Token, position and segment embeddings, summed and normalised."""

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, shape.hidden, padding_idx=pad_id)
        self.positions = nn.Embedding(shape.max_positions, shape.hidden)
        self.segments = nn.Embedding(2, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=NORM_EPS)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, tokens: Tensor, positions: Tensor, segments: Tensor) -> Tensor:
        """(T,) ids each -> (T, C)."""
        summed = self.tokens(tokens) + self.segments(segments) + self.positions(positions)
        hidden: Tensor = self.dropout(self.norm(summed))
        return hidden


class Layer(nn.Module):
    """Post-norm transformer layer. Attention weights have no dropout: it is slow and buys nothing in pre-training."""

    def __init__(self, shape: ModelConfig) -> None:
        super().__init__()
        self._heads = shape.heads
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.attention_output = nn.Linear(shape.hidden, shape.hidden)
        self.attention_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPS)
        self.up = nn.Linear(shape.hidden, shape.intermediate)
        self.down = nn.Linear(shape.intermediate, shape.hidden)
        self.output_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPS)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, hidden: Tensor, lengths: Sequence[int]) -> Tensor:
        """(T, C) -> (T, C)."""
        qkv = self.qkv(hidden).view(hidden.shape[0], 3, self._heads, -1)
        attended = attend(qkv, lengths).reshape(hidden.shape)
        hidden = self.attention_norm(hidden + self.dropout(self.attention_output(attended)))
        output: Tensor = self.output_norm(hidden + self.dropout(self.down(F.gelu(self.up(hidden)))))
        return output


class Encoder(nn.Module):
    """Embeddings and layers, and the pooler over each sample's [CLS]."""

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int) -> None:
        super().__init__()
        self.embeddings = Embeddings(shape, vocab_size, pad_id)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.pooler = nn.Linear(shape.hidden, shape.hidden)

    def forward(self, tokens: Tensor, positions: Tensor, segments: Tensor, lengths: Sequence[int]) -> Tensor:
        """(T,) ids each, S lengths -> hidden states (T, C)."""
        hidden: Tensor = self.embeddings(tokens, positions, segments)
        for layer in self.layers:
            hidden = layer(hidden, lengths)
        return hidden

    def pool(self, hidden: Tensor, lengths: Sequence[int]) -> Tensor:
        """Hidden states (T, C) -> one vector a sample (S, C), from its first token."""
        firsts = torch.tensor([0, *lengths[:-1]]).cumsum(0).to(hidden.device)
        return torch.tanh(self.pooler(hidden[firsts]))


class BertForPretraining(nn.Module):
    """The encoder with the masked-token head (decoder tied to the token embeddings) and the sentence-order head."""

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int = 0) -> None:
        super().__init__()
        self.encoder = Encoder(shape, vocab_size, pad_id)
        self.transform = nn.Linear(shape.hidden, shape.hidden)
        self.transform_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPS)
        self.decoder_bias = nn.Parameter(torch.zeros(vocab_size))
        self.order = nn.Linear(shape.hidden, 2)
        self.apply(_initialise)
        with torch.no_grad():
            self.encoder.embeddings.tokens.weight[pad_id].zero_()

    def forward(
        self,
        tokens: Tensor,
        positions: Tensor,
        segments: Tensor,
        lengths: Sequence[int],
        masked: Tensor,
        labels: Tensor,
        swapped: Tensor,
    ) -> PretrainLosses:
        """Losses of a micro-batch; the masked-token head runs on the M masked tokens only.

        Args:
            tokens: ids (T,), some replaced by the mask.
            positions: (T,), from 0 in each sample.
            segments: 0 or 1 (T,).
            lengths: tokens of each of the S samples; they sum to T.
            masked: indices into T of the masked tokens (M,).
            labels: original ids of the masked tokens (M,).
            swapped: 1 where the two segments stand in the wrong order (S,).
        """
        hidden = self.encoder(tokens, positions, segments, lengths)
        token_logits = self.token_logits(hidden[masked])
        order_logits = self.order(self.encoder.pool(hidden, lengths))
        with torch.no_grad():
            mlm_correct = (token_logits.argmax(-1) == labels).sum()
            sop_correct = (order_logits.argmax(-1) == swapped).sum()
        return PretrainLosses(
            mlm=F.cross_entropy(token_logits.float(), labels, reduction="sum"),
            sop=F.cross_entropy(order_logits.float(), swapped, reduction="sum"),
            mlm_correct=mlm_correct,
            sop_correct=sop_correct,
        )

    def token_logits(self, hidden: Tensor) -> Tensor:
        """Hidden states (M, C) -> scores over the vocabulary (M, V)."""
        transformed = self.transform_norm(F.gelu(self.transform(hidden)))
        return F.linear(transformed, self.encoder.embeddings.tokens.weight, self.decoder_bias)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=INIT_STD)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
