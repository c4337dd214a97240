"""ALBERT (Lan et al. 2020) for pre-training: BERT's layers with one set of weights for all, narrow embeddings.

T tokens, M of them masked, width C, embeddings of width E. Same arithmetic as transformers' `AlbertForPreTraining`
with `hidden_act="gelu"`, one group of layers where they are shared and as many groups as layers where they are not.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from korbert.config import ModelConfig
from korbert.model.bert import NORM_EPS, Embeddings, Layer, initialise
from korbert.model.layout import Layout, Wanted, layout_of
from korbert.model.pretraining import Encoder, Pretraining


class AlbertEncoder(Encoder):
    """Embeddings, widened to the layers' width; the layers, or one of them again and again; the pooler."""

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int) -> None:
        super().__init__()
        self._times = shape.layers if shape.share_layers else 1
        self.embeddings = Embeddings(shape, vocab_size, pad_id)
        # transformers has this matrix even where both widths are equal.
        self.widen = nn.Linear(shape.embedding_width, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers // self._times))
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
        hidden: Tensor = self.widen(self.embeddings(tokens, positions, segments))
        *others, last = [layer for layer in self.layers for _ in range(self._times)]
        for layer in others:
            hidden = layer(hidden, layout)
        output: Tensor = last(hidden, layout, wanted)
        return output


class AlbertForPretraining(Pretraining):
    """ALBERT's encoder and heads; the masked-token head narrows to the embeddings' width."""

    encoder: AlbertEncoder

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int = 0) -> None:
        super().__init__()
        self.encoder = AlbertEncoder(shape, vocab_size, pad_id)
        self.transform = nn.Linear(shape.hidden, shape.embedding_width)
        self.transform_norm = nn.LayerNorm(shape.embedding_width, eps=NORM_EPS)
        self.decoder_bias = nn.Parameter(torch.zeros(vocab_size))
        self.order = nn.Linear(shape.hidden, 2)
        initialise(self, pad_id)

    def token_logits(self, hidden: Tensor) -> Tensor:
        """Hidden states (M, C) -> scores over the vocabulary (M, V)."""
        transformed = self.transform_norm(F.gelu(self.transform(hidden)))
        return F.linear(transformed, self.encoder.embeddings.tokens.weight, self.decoder_bias)
