"""Section `tokenizer`."""

from __future__ import annotations

from dataclasses import dataclass

from korbert.config.rules import require


@dataclass(frozen=True)
class TokenizerConfig:
    """The vocabulary."""

    kind: str = "wordpiece"
    """Model that is trained: word (the most frequent words, the rest in characters), wordpiece, bpe or unigram."""
    segmentation: str = "whitespace"
    """What a piece never crosses: whitespace (words), or the morphemes that mecab or kiwi find in them."""
    analyse: str = "training"
    """When mecab or kiwi run: training (the vocabulary keeps to morphemes, and the tokenizer needs no analyser), or
    always (every text is cut into morphemes first; needs korbert[morphemes])."""
    vocab_size: int = 32_000
    """Entries, the five special tokens included; up to 65,536 of them token ids fit 16 bits, beyond it 32."""
    min_frequency: int = 2
    """Pairs seen less often are not merged."""
    limit_alphabet: int = 6_000
    """Most frequent characters kept; the others are bytes (bpe, unigram) or [UNK] (word, wordpiece). Modern Hangul
    alone has 11,172 syllables."""
    sample_characters: int = 0
    """Learn from a sample of whole documents with about so many characters; 0: from the whole corpus."""
    workers: int = 2
    """Processes that count words and morphemes; the result does not depend on it."""

    def __post_init__(self) -> None:
        kinds, segmentations = ("word", "wordpiece", "bpe", "unigram"), ("whitespace", "mecab", "kiwi")
        require(self.kind in kinds, "tokenizer.kind", self.kind, f"must be one of: {', '.join(kinds)}")
        require(
            self.segmentation in segmentations,
            "tokenizer.segmentation",
            self.segmentation,
            f"must be one of: {', '.join(segmentations)}",
        )
        analyse = ("training", "always")
        require(self.analyse in analyse, "tokenizer.analyse", self.analyse, f"must be one of: {', '.join(analyse)}")
        require(
            self.analyse == "training" or self.segmentation != "whitespace",
            "tokenizer.analyse",
            self.analyse,
            "needs tokenizer.segmentation = mecab or kiwi",
        )
        in_bytes = self.kind in ("bpe", "unigram")
        require(
            (512 if in_bytes else 256) <= self.vocab_size <= 1_000_000,
            "tokenizer.vocab_size",
            self.vocab_size,
            f"must be 512 to 1000000 for {self.kind}: 256 entries are bytes" if in_bytes else "must be 256 to 1000000",
        )
        require(self.min_frequency >= 1, "tokenizer.min_frequency", self.min_frequency, "must be at least 1")
        require(
            1 <= self.limit_alphabet < self.vocab_size,
            "tokenizer.limit_alphabet",
            self.limit_alphabet,
            f"must be at least 1 and less than tokenizer.vocab_size = {self.vocab_size}",
        )
        require(self.sample_characters >= 0, "tokenizer.sample_characters", self.sample_characters, "must be 0 or more")
        require(self.workers >= 1, "tokenizer.workers", self.workers, "must be at least 1")
