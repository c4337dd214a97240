"""The modern encoder (ModernBERT, Warner et al. 2024): pre-norm, rotary positions, gated GELU, no biases, final norm.

T tokens, M of them masked, width C, H heads of width D. Same arithmetic as transformers' `ModernBertForMaskedLM`, which
knows neither segments nor sentence order: segments are not read, the order's head (a pooler like BERT's and a two-way
classifier) is our own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from korbert.config import ModelConfig
from korbert.model.attention import attend, attend_from
from korbert.model.bert import parted
from korbert.model.dropout import Dropout
from korbert.model.layout import Layout, Wanted, layout_of
from korbert.model.pretraining import Encoder, Pretraining

# ModernBERT's own values (its released config): weights' standard deviation, at how many of them it is cut off, layer
# norm's epsilon, the rotary base of layers with a window.
INIT_STD = 0.02
CUT_OFF = 2.0
NORM_EPS = 1e-5
LOCAL_THETA = 10_000.0


class ModernEmbeddings(nn.Module):
    """Token embeddings, normalised; positions come in with the attention."""

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, shape.hidden, padding_idx=pad_id)
        self.norm = _norm(shape)
        self.dropout = Dropout(shape.dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """(T,) ids -> (T, C)."""
        hidden: Tensor = self.dropout(self.norm(self.tokens(tokens)))
        return hidden


class ModernLayer(nn.Module):
    """Pre-norm layer. The first has no norm before its attention: the embeddings' has just been applied."""

    def __init__(self, shape: ModelConfig, number: int) -> None:
        super().__init__()
        self._heads = shape.heads
        self.window = shape.window(number)
        self.attention_norm = _norm(shape) if number else nn.Identity()
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden, bias=False)
        self.attention_output = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.output_norm = _norm(shape)
        self.up = nn.Linear(shape.hidden, 2 * shape.intermediate, bias=False)
        self.down = nn.Linear(shape.intermediate, shape.hidden, bias=False)
        self.dropout = Dropout(shape.dropout)

    def forward(
        self, hidden: Tensor, layout: Layout, turn: tuple[Tensor, Tensor], wanted: Wanted | None = None
    ) -> Tensor:
        """(T, C), the cosine and sine of each token's angles -> (T, C), or (N, C) where N tokens are wanted."""
        normed = self.attention_norm(hidden)
        if wanted is None:
            attended = self._among_all(normed, layout, turn)
        else:
            hidden = hidden.index_select(0, wanted.places)
            if self.window:
                # Near in its sample is not near among the wanted: all tokens ask, and some are answered.
                attended = self._among_all(normed, layout, turn).index_select(0, wanted.places)
            else:
                attended = self._from(normed, layout, turn, wanted)
        hidden = hidden + self.dropout(self.attention_output(attended.reshape(hidden.shape)))
        gated, gate = self.up(self.output_norm(hidden)).chunk(2, dim=-1)
        output: Tensor = hidden + self.down(self.dropout(F.gelu(gated) * gate))
        return output

    def _among_all(self, normed: Tensor, layout: Layout, turn: tuple[Tensor, Tensor]) -> Tensor:
        qkv = self.qkv(normed).view(len(normed), 3, self._heads, -1)
        return attend(torch.cat((rotated(qkv[:, :2], *turn), qkv[:, 2:]), dim=1), layout, self.window)

    def _from(self, normed: Tensor, layout: Layout, turn: tuple[Tensor, Tensor], wanted: Wanted) -> Tensor:
        asking = normed.index_select(0, wanted.places)
        queries, kv = parted(self.qkv, asking, normed, self._heads)
        cosine, sine = turn
        some = cosine.index_select(0, wanted.places), sine.index_select(0, wanted.places)
        queries = rotated(queries[:, None], *some)[:, 0]
        return attend_from(queries, torch.cat((rotated(kv[:, :1], *turn), kv[:, 1:]), dim=1), layout, wanted)


def angles(positions: Tensor, width: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotary angles (Su et al. 2021): positions (T,) -> (T, 1, 1, D) each, float32."""
    steps = torch.arange(0, width, 2, dtype=torch.float32, device=positions.device)
    turns = positions[:, None].float() * (1.0 / theta ** (steps / width))  # (T, D / 2)
    both = torch.cat((turns, turns), dim=-1)[:, None, None]
    return both.cos(), both.sin()


def rotated(vectors: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Queries, keys or both turned by their positions, in float32: (T, n, H, D) -> (T, n, H, D).

    Pairs are (d, d + D / 2), transformers' layout, not neighbours.
    """
    turned = vectors.float()
    low, high = turned.chunk(2, dim=-1)
    return (turned * cosine + torch.cat((-high, low), dim=-1) * sine).to(vectors.dtype)


class ModernEncoder(Encoder):
    """Embeddings, layers and the final norm; a pooler for the sentence order."""

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int) -> None:
        super().__init__()
        self._width, self._theta = shape.hidden // shape.heads, shape.rope_theta
        self.embeddings = ModernEmbeddings(shape, vocab_size, pad_id)
        self.layers = nn.ModuleList(ModernLayer(shape, number) for number in range(shape.layers))
        self.norm = _norm(shape)
        self.pooler = nn.Linear(shape.hidden, shape.hidden, bias=False)

    def forward(
        self,
        tokens: Tensor,
        positions: Tensor,
        segments: Tensor,
        lengths: Sequence[int] | Layout,
        wanted: Wanted | None = None,
    ) -> Tensor:
        """(T,) ids each and the samples' layout -> hidden states (T, C), or of the N that are wanted (N, C); segments
        are not read."""
        layout = layout_of(lengths, tokens.device)
        whole, local = (angles(positions, self._width, theta) for theta in (self._theta, LOCAL_THETA))
        hidden: Tensor = self.embeddings(tokens)
        last = self.layers[-1]
        for layer in self.layers:
            hidden = layer(hidden, layout, local if layer.window else whole, wanted if layer is last else None)
        output: Tensor = self.norm(hidden)
        return output


class ModernForPretraining(Pretraining):
    """The modern encoder and its heads."""

    encoder: ModernEncoder

    def __init__(self, shape: ModelConfig, vocab_size: int, pad_id: int = 0) -> None:
        super().__init__()
        self.encoder = ModernEncoder(shape, vocab_size, pad_id)
        self.transform = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.transform_norm = _norm(shape)
        self.decoder_bias = nn.Parameter(torch.zeros(vocab_size))
        self.order = nn.Linear(shape.hidden, 2, bias=False)
        self._initialise(shape, pad_id)

    @torch.no_grad()
    def _initialise(self, shape: ModelConfig, pad_id: int) -> None:
        """As ModernBERT: matrices that write into the residual stream start smaller, the more layers the smaller."""
        outputs = ("attention_output", "down", "transform")
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                shrink = math.sqrt(2 * shape.layers) if name.endswith(outputs) else 1.0
                std = INIT_STD / shrink
                nn.init.trunc_normal_(module.weight, std=std, a=-CUT_OFF * std, b=CUT_OFF * std)
        self.encoder.embeddings.tokens.weight[pad_id].zero_()

    def token_logits(self, hidden: Tensor) -> Tensor:
        """Hidden states (M, C) -> scores over the vocabulary (M, V)."""
        transformed = self.transform_norm(F.gelu(self.transform(hidden)))
        return F.linear(transformed, self.encoder.embeddings.tokens.weight, self.decoder_bias)


def _norm(shape: ModelConfig) -> nn.LayerNorm:
    return nn.LayerNorm(shape.hidden, eps=NORM_EPS, bias=False)
