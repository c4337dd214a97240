"""Section `model`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from korbert.config.rules import require
from korbert.sizes import SIZES


@dataclass(frozen=True)
class ModelConfig:
    """The encoder's shape; its vocabulary comes from the tokenizer. model.size=NAME sets a published one."""

    layers: int = 12
    """Transformer layers (BERT-base: 12). --set model.size=NAME sets this and the other fields of a published shape:
    tiny, mini, small, medium, base, large, albert-base, albert-large, modern-base, modern-large."""
    hidden: int = 768
    """Width of the hidden states (BERT-base: 768)."""
    heads: int = 12
    """Attention heads; must divide `hidden` (BERT-base: 12)."""
    intermediate: int = 3072
    """Width of the feed-forward layers (BERT: four times `hidden`; modern has two such halves, one gates the other)."""
    max_positions: int = 512
    """The longest input of the finished model; bert and albert learn an embedding for each position."""
    dropout: float = 0.1
    """Dropout of embeddings, attention outputs and feed-forward layers while training."""
    architecture: str = "bert"
    """bert; albert (shared layers, narrow embeddings); modern (pre-norm, rotary positions, gated GELU, no biases:
    ModernBERT's arithmetic)."""
    share_layers: bool = False
    """albert: one layer's weights for all layers."""
    embedding: int = 0
    """albert: width of the embeddings, widened to `hidden` by a matrix (Lan et al. 2020: 128); 0: as `hidden`."""
    rope_theta: float = 10_000.0
    """modern: base of the rotary frequencies of layers that see the whole sample (ModernBERT: 160000 for 8,192 tokens);
    layers with a window have 10000."""
    local_attention: int = 0
    """modern: tokens a layer with a window sees, half to each side (ModernBERT: 128); 0: all layers see the sample."""
    global_every: int = 3
    """modern: with `local_attention`, the first of every so many layers sees the whole sample (ModernBERT: 3)."""

    @classmethod
    def of_size(cls, size: str, **changes: Any) -> ModelConfig:
        """A published shape, with some fields changed.

        Raises:
            UsageError: for a name that is none, and as the fields do.
        """
        return cls(**(fields_of_size(size) | changes))

    @property
    def embedding_width(self) -> int:
        """Width of the token embeddings."""
        return self.embedding or self.hidden

    def window(self, layer: int) -> int:
        """Tokens to each side that a layer sees; 0: the whole sample."""
        return self.local_attention // 2 if layer % self.global_every else 0

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads", "intermediate", "global_every"):
            require(getattr(self, name) >= 1, f"model.{name}", getattr(self, name), "must be at least 1")
        require(self.hidden % self.heads == 0, "model.heads", self.heads, f"must divide model.hidden = {self.hidden}")
        require(self.max_positions >= 16, "model.max_positions", self.max_positions, "must be at least 16")
        require(0 <= self.dropout < 1, "model.dropout", self.dropout, "is a probability: 0 or more, below 1")
        require(self.rope_theta > 1, "model.rope_theta", self.rope_theta, "must be more than 1")
        self._check_architecture()

    def _check_architecture(self) -> None:
        """What the exported model's class cannot compute is refused before anything is trained."""
        kind = self.architecture
        kinds = ("bert", "albert", "modern")
        require(kind in kinds, "model.architecture", kind, f"must be one of: {', '.join(kinds)}")
        require(
            kind == "albert" or not self.share_layers,
            "model.share_layers",
            self.share_layers,
            f"transformers' class for {kind} has weights of its own in each layer; choose model.architecture=albert",
        )
        require(self.embedding >= 0, "model.embedding", self.embedding, "must be 0 (as model.hidden) or more")
        require(
            kind == "albert" or self.embedding_width == self.hidden,
            "model.embedding",
            self.embedding,
            f"transformers' class for {kind} has embeddings as wide as model.hidden = {self.hidden}; "
            "choose 0, or model.architecture=albert",
        )
        local = self.local_attention
        require(
            local >= 0 and local % 2 == 0,
            "model.local_attention",
            local,
            "must be 0 (none) or an even number of tokens",
        )
        require(
            kind == "modern" or local == 0,
            "model.local_attention",
            local,
            f"transformers' class for {kind} has no windows; choose 0, or model.architecture=modern",
        )
        require(
            kind != "modern" or (self.hidden // self.heads) % 2 == 0,
            "model.heads",
            self.heads,
            f"rotary positions turn pairs: model.hidden / model.heads must be even, it is {self.hidden // self.heads}",
        )


def fields_of_size(size: str) -> dict[str, Any]:
    require(size in SIZES, "model.size", size, f"there is no such size; there are: {', '.join(SIZES)}")
    return SIZES[size]
