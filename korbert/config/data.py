"""Section `data`."""

from __future__ import annotations

from dataclasses import dataclass

from korbert.config.rules import require


@dataclass(frozen=True)
class DataConfig:
    """Samples: two segments each, masked words, and how they are packed."""

    max_tokens: int = 512
    """Tokens a sample at most, [CLS] and both [SEP] included (ALBERT: 512)."""
    short_probability: float = 0.1
    """Share of documents cut into shorter samples, so that short inputs are seen too (ALBERT: 0.1)."""
    mask_rate: float = 0.15
    """Share of tokens predicted a sample (BERT: 0.15)."""
    mask_rate_end: float = 0.0
    """What the last training step has; between the first and the last the rate runs along a straight line. 0: it stays
    `mask_rate`."""
    whole_words: bool = True
    """Mask all tokens of a word together, by the starts stored with the tokens."""
    mask_unit: str = "eojeol"
    """What a word is here: eojeol (parted by whitespace), or morpheme: by the tokenizer's own analyser where it runs
    one for every text, else by mecab over each distinct eojeol (needs korbert[morphemes]); starts are stored then."""
    ngram: int = 1
    """Mask stretches of 1 to so many neighbouring words (`mask_unit`) together, k of them with a probability
    proportional to 1/k (ALBERT: 3); 1: single words."""
    keep_rate: float = 0.1
    """Of the chosen tokens, the share left as they are (BERT: 0.1)."""
    random_rate: float = 0.1
    """Of the chosen tokens, the share replaced by a random token (BERT: 0.1); the rest become [MASK]."""
    shard_tokens: int = 100_000_000
    """Tokens a shard file of the encoded corpus; an interrupted encoding goes on after the last finished one."""
    workers: int = 2
    """Processes that encode; the result does not depend on it."""

    def __post_init__(self) -> None:
        require(16 <= self.max_tokens <= 8192, "data.max_tokens", self.max_tokens, "must be 16 to 8192")
        require(
            0 <= self.short_probability <= 1, "data.short_probability", self.short_probability, "is a share: 0 to 1"
        )
        require(0 < self.mask_rate < 1, "data.mask_rate", self.mask_rate, "is a share: above 0, below 1")
        require(
            0 <= self.mask_rate_end < 1,
            "data.mask_rate_end",
            self.mask_rate_end,
            "is a share: above 0, below 1; or 0 (as data.mask_rate)",
        )
        require(1 <= self.ngram <= 16, "data.ngram", self.ngram, "must be 1 (single words) to 16")
        units = ("eojeol", "morpheme")
        require(self.mask_unit in units, "data.mask_unit", self.mask_unit, f"must be one of: {', '.join(units)}")
        require(
            self.whole_words or self.mask_unit == "eojeol",
            "data.mask_unit",
            self.mask_unit,
            "has no meaning without data.whole_words = true",
        )
        for name in ("keep_rate", "random_rate"):
            require(0 <= getattr(self, name) <= 1, f"data.{name}", getattr(self, name), "is a share: 0 to 1")
        require(
            self.keep_rate + self.random_rate <= 1,
            "data.random_rate",
            self.random_rate,
            f"with data.keep_rate = {self.keep_rate} must not pass 1",
        )
        for name in ("shard_tokens", "workers"):
            require(getattr(self, name) >= 1, f"data.{name}", getattr(self, name), "must be at least 1")
