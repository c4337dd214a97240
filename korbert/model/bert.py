"""BERT (Devlin et al. 2019) for pre-training: masked tokens and sentence order (Lan et al. 2020, ALBERT).

T tokens of S samples, M of them masked, width C, embeddings of width E (BERT: C). Same arithmetic as transformers'
`BertForPreTraining`, whose two-way next-sentence head carries the sentence order.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from korbert.config import ModelConfig
from korbert.model.attention import attend, attend_from
from korbert.model.dropout import Dropout
from korbert.model.layout import Layout, Wanted, layout_of
from korbert.model.pretraining import Encoder, Pretraining, PretrainLosses

__all__ = ["INIT_STD", "NORM_EPS", "BertEncoder", "BertForPretraining", "Embeddings", "Layer", "PretrainLosses"]

# BERT's own values (its released code): initial weights' standard deviation, layer norm's epsilon.
INIT_STD = 0.02
NORM_EPS = 1e-12


class Embeddings(nn.Module):
    """Token, position and segment embeddings, summed and normalised."""

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int) -> None:
        super().__init__()
        width = shape.embedding_width
        self.tokens = nn.Embedding(vocab_size, width, padding_idx=pad_id)
        self.positions = nn.Embedding(shape.max_positions, width)
        self.segments = nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.dropout = Dropout(shape.dropout)

    def forward(self, tokens: Tensor, positions: Tensor, segments: Tensor) -> Tensor:
        """(T,) ids each -> (T, E)."""
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
        self.dropout = Dropout(shape.dropout)

    def forward(self, hidden: Tensor, layout: Layout, wanted: Wanted | None = None) -> Tensor:
        """(T, C) -> (T, C), or (N, C) where N tokens are wanted."""
        if wanted is None:
            attended = attend(self.qkv(hidden).view(len(hidden), 3, self._heads, -1), layout)
        else:
            asking = hidden.index_select(0, wanted.places)
            queries, kv = parted(self.qkv, asking, hidden, self._heads)
            attended, hidden = attend_from(queries, kv, layout, wanted), asking
        attended = attended.reshape(hidden.shape)
        hidden = self.attention_norm(hidden + self.dropout(self.attention_output(attended)))
        output: Tensor = self.output_norm(hidden + self.dropout(self.down(F.gelu(self.up(hidden)))))
        return output


def parted(qkv: nn.Linear, asking: Tensor, hidden: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Queries of N tokens, keys and values of all T: (N, C), (T, C) -> (N, H, D), (T, 2, H, D)."""
    width = qkv.in_features
    weights = qkv.weight.split([width, 2 * width])  # type: ignore[no-untyped-call]
    biases = (None, None) if qkv.bias is None else qkv.bias.split([width, 2 * width])  # type: ignore[no-untyped-call]
    queries, kv = (F.linear(*both) for both in zip((asking, hidden), weights, biases, strict=True))
    return queries.view(len(asking), heads, -1), kv.view(len(hidden), 2, heads, -1)


class BertEncoder(Encoder):
    """Embeddings and layers, and the pooler over each sample's [CLS]."""

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int) -> None:
        super().__init__()
        self.embeddings = Embeddings(shape, vocab_size, pad_id)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.pooler = nn.Linear(shape.hidden, shape.hidden)

    def forward(
        self,
        tokens: Tensor,
        positions: Tensor,
        segments: Tensor,
        lengths: Sequence[int] | Layout,
        wanted: Wanted | None = None,
    ) -> Tensor:
        """(T,) ids each and the samples' layout -> hidden states (T, C), or of the N that are wanted (N, C)."""
        layout = layout_of(lengths, tokens.device)
        hidden: Tensor = self.embeddings(tokens, positions, segments)
        *others, last = self.layers
        for layer in others:
            hidden = layer(hidden, layout)
        output: Tensor = last(hidden, layout, wanted)
        return output


class BertForPretraining(Pretraining):
    """BERT's encoder and heads."""

    encoder: BertEncoder

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int = 0) -> None:
        super().__init__()
        self.encoder = BertEncoder(shape, vocab_size, pad_id)
        self.transform = nn.Linear(shape.hidden, shape.hidden)
        self.transform_norm = nn.LayerNorm(shape.hidden, eps=NORM_EPS)
        self.decoder_bias = nn.Parameter(torch.zeros(vocab_size))
        self.order = nn.Linear(shape.hidden, 2)
        initialise(self, pad_id)

    def token_logits(self, hidden: Tensor) -> Tensor:
        """Hidden states (M, C) -> scores over the vocabulary (M, V)."""
        transformed = self.transform_norm(F.gelu(self.transform(hidden)))
        return F.linear(transformed, self.encoder.embeddings.tokens.weight, self.decoder_bias)


@torch.no_grad()
def initialise(model: Pretraining, pad_id: int) -> None:
    """Draws the weights as BERT does; biases and the padding token's embedding are 0."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=INIT_STD)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight[pad_id].zero_()
