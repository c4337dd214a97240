"""What every architecture has in common: two heads over an encoder, and the two losses of a micro-batch.

Samples lie one after another without padding: T tokens of S samples, M of them masked, width C, vocabulary V.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from korbert.model.cross_entropy import hits, summed_cross_entropy
from korbert.model.layout import Layout, Wanted, firsts, layout_of, wanted_of


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


class Encoder(nn.Module, ABC):
    """Token ids to hidden states, and the pooler over each sample's [CLS]."""

    pooler: nn.Linear

    @abstractmethod
    def forward(
        self,
        tokens: Tensor,
        positions: Tensor,
        segments: Tensor,
        lengths: Sequence[int] | Layout,
        wanted: Wanted | None = None,
    ) -> Tensor:
        """(T,) ids each and the samples' layout -> hidden states (T, C), or of the N that are wanted (N, C), in which
        case the last layer works on those alone."""

    def pool(self, hidden: Tensor, lengths: Sequence[int] | Layout) -> Tensor:
        """Hidden states (T, C) -> one vector a sample (S, C), from its first token."""
        layout = layout_of(lengths, hidden.device)
        return self.pooled(hidden[firsts(layout, hidden.shape[0])])

    def pooled(self, first: Tensor) -> Tensor:
        """Hidden states of the samples' first tokens (S, C) -> (S, C)."""
        return torch.tanh(self.pooler(first))


class Pretraining(nn.Module, ABC):
    """An encoder with the masked-token head (decoder tied to the token embeddings) and the sentence-order head."""

    encoder: Encoder
    order: nn.Linear
    decoder_bias: nn.Parameter

    @abstractmethod
    def token_logits(self, hidden: Tensor) -> Tensor:
        """Hidden states (M, C) -> scores over the vocabulary (M, V)."""

    def forward(
        self,
        tokens: Tensor,
        positions: Tensor,
        segments: Tensor,
        lengths: Sequence[int] | Layout,
        masked: Tensor,
        labels: Tensor,
        swapped: Tensor,
    ) -> PretrainLosses:
        """Losses of a micro-batch. The masked-token head runs on the M masked tokens only, the last layer on those and
        the samples' first tokens: nobody looks at what it would make of the others.

        Args:
            tokens: ids (T,), some replaced by the mask.
            positions: (T,), from 0 in each sample.
            segments: 0 or 1 (T,).
            lengths: tokens of each of the S samples, which sum to T, or their layout.
            masked: indices into T of the masked tokens (M,).
            labels: original ids of the masked tokens (M,); -100: not counted.
            swapped: 1 where the two segments stand in the wrong order (S,); -100: not counted.
        """
        layout = layout_of(lengths, tokens.device)
        wanted = wanted_of(layout, torch.cat([masked, firsts(layout, len(tokens))]))
        hidden = self.encoder(tokens, positions, segments, layout, wanted)
        heads, first = hidden.index_select(0, wanted.order).split([len(masked), len(wanted.order) - len(masked)])
        token_logits = self.token_logits(heads)
        mlm_correct = hits(token_logits.detach(), labels)
        mlm = summed_cross_entropy(token_logits, labels)  # uses the scores up
        order_logits = self.order(self.encoder.pooled(first))
        return PretrainLosses(
            mlm=mlm,
            sop=F.cross_entropy(order_logits.float(), swapped, reduction="sum"),
            mlm_correct=mlm_correct,
            sop_correct=(order_logits.detach().argmax(-1) == swapped).sum(),
        )
