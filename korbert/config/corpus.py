"""Section `corpus`."""

from __future__ import annotations

from dataclasses import dataclass

from korbert.config.rules import require


@dataclass(frozen=True)
class CorpusConfig:
    """Articles to clean, de-duplicated documents of sentences."""

    sources: tuple[str, ...] = ()
    """Files to build from in place of the crawled articles: .jsonl, .parquet, .warc and Wikipedia's .xml, compressed or
    not; empty: what stage crawl left in Postgres. With files the chain has no stage crawl."""
    licence: str = "supplied by the operator"
    """Licence of articles from files that state none of their own; those whose may_train is false are left out."""
    hanja: str = "keep"
    """keep: Hanja stay; hangul: each becomes its Korean reading."""
    min_characters: int = 100
    """Documents with fewer characters after cleaning are rejected as `too_short`: about the 50 words that datatrove's
    GopherQualityFilter asks for. Comments and reviews want 10 (KcBERT)."""
    max_characters: int = 100_000
    """Documents with more characters are rejected as `too_long`: they are dumps, not articles."""
    min_hangul: float = 0.5
    """Least share of Hangul among letters; below it a document is rejected as `not_korean`. It stands in for
    FineWeb2's language score (0.842 of GlotLID, a model that is not here)."""
    max_duplicate_lines: float = 0.374
    """Greatest share of lines that repeat an earlier one, else `repeated_lines`. Like all fields up to
    max_repeated_ngrams it holds FineWeb2's value for Korean (huggingface/fineweb-2, configs/kor_Hang.yml)."""
    max_duplicate_characters: float = 0.1
    """Greatest share of characters in repeated lines, else `repeated_lines`."""
    min_finished_lines: float = 0.062
    """Share of lines that must be exceeded by those that end a sentence (full stop, question or exclamation mark,
    quotation mark, or 다), else `unfinished_lines`; asked of documents of four lines or more: asked of all it rejects
    10 % of real news and half of real petitions, which were stored in one line."""
    max_line_ends: float = 0.196
    """Most line ends a word, else `short_lines`."""
    min_words_with_letters: float = 0.791
    """Least share of words that hold a letter, else `few_letters` (weather tables: 0.4 % of real news). Reviews with
    loose signs want 0.5."""
    min_word_length: float = 1.0
    """Least mean of characters a word, else `odd_words`."""
    max_word_length: float = 6.0
    """Greatest mean of characters a word, else `odd_words`. Text without spaces fails it: reviews want 100."""
    max_top_ngrams: tuple[float, ...] = (0.282, 0.228, 0.185)
    """Greatest share of characters in the most frequent run of 2, 3 and 4 words that stands there at least three
    times, else `top_ngram`; empty: any."""
    max_repeated_ngrams: tuple[float, ...] = (0.201, 0.184, 0.168, 0.154, 0.14, 0.127)
    """Greatest share of characters in runs of 5 to 10 words seen before, else `repeated_ngrams`; empty: any."""
    line_articles: int = 10
    """A line that stands in so many articles of one press is the press's own and is removed from all of them; 0: none
    is."""
    evaluation: tuple[str, ...] = ()
    """Files or folders of evaluation text; documents that overlap it are rejected as `benchmark_overlap`."""
    overlap_characters: int = 69
    """A document overlaps when it shares a run of so many characters, spaces and punctuation apart, with evaluation
    text, or holds the whole of a shorter one."""
    mask_pii: bool = True
    """Replace phone, resident, account and plate numbers and e-mail addresses by a placeholder."""
    near_duplicate_ngram: int = 5
    """Letters and digits a shingle for near-duplicate search, spaces and punctuation apart. Not words (FineWeb2: 5):
    with 2 to 5 % of the characters edited, half of the copies share less than 0.37 of their runs of 5 words, but 95 %
    share 0.70 of their runs of 5 letters; two unlike news articles share 0.002 of them."""
    near_duplicate_bands: int = 24
    """Bands of the MinHash LSH index (FineWeb2: 14)."""
    near_duplicate_rows: int = 5
    """Hashes a band (FineWeb2: 8); 24 x 5 makes a pair of similarity 0.65 a candidate in 95 of 100 cases, one of 0.7 in
    99; 14 x 8 in 36 and 56."""
    near_duplicate_threshold: float = 0.65
    """Candidates at or above this estimated Jaccard similarity are removed as `near_duplicate`: about four fifths of
    the letters are the same."""
    held_out: float = 0.01
    """Share of the documents, drawn by a hash of their text, that training never sees; 0: none."""
    engine: str = "local"
    """Where batches are worked on: local (a pool of processes) or ray; the bytes are the same."""
    ray_address: str = ""
    """Ray cluster (`auto`, `ray://host:10001`) of engine ray; empty: one started on this machine."""
    workers: int = 2
    """Processes for cleaning and sentence splitting; the result does not depend on it."""
    shard_articles: int = 10_000
    """Articles read a shard: an interrupted build goes on after the last finished one."""

    def __post_init__(self) -> None:
        require(all(self.sources), "corpus.sources", self.sources, "must not hold an empty name")
        require(bool(self.licence), "corpus.licence", self.licence, "must not be empty")
        require(self.hanja in ("keep", "hangul"), "corpus.hanja", self.hanja, "must be one of: keep, hangul")
        require(self.min_characters >= 1, "corpus.min_characters", self.min_characters, "must be at least 1")
        require(
            self.max_characters > self.min_characters,
            "corpus.max_characters",
            self.max_characters,
            f"must be greater than corpus.min_characters = {self.min_characters}",
        )
        for name in (
            "min_hangul",
            "max_duplicate_lines",
            "max_duplicate_characters",
            "min_finished_lines",
            "min_words_with_letters",
        ):
            require(0 <= getattr(self, name) <= 1, f"corpus.{name}", getattr(self, name), "is a share: 0 to 1")
        for name in ("max_top_ngrams", "max_repeated_ngrams"):
            shares = getattr(self, name)
            require(all(0 <= share <= 1 for share in shares), f"corpus.{name}", shares, "are shares: 0 to 1")
        require(self.max_line_ends >= 0, "corpus.max_line_ends", self.max_line_ends, "must be 0 or more")
        require(self.min_word_length >= 0, "corpus.min_word_length", self.min_word_length, "must be 0 or more")
        require(
            self.max_word_length > self.min_word_length,
            "corpus.max_word_length",
            self.max_word_length,
            f"must be greater than corpus.min_word_length = {self.min_word_length}",
        )
        require(
            self.line_articles == 0 or self.line_articles >= 2,
            "corpus.line_articles",
            self.line_articles,
            "must be 0 (none) or at least 2",
        )
        for name in (
            "near_duplicate_ngram",
            "near_duplicate_bands",
            "near_duplicate_rows",
            "workers",
            "shard_articles",
        ):
            require(getattr(self, name) >= 1, f"corpus.{name}", getattr(self, name), "must be at least 1")
        require(self.overlap_characters >= 8, "corpus.overlap_characters", self.overlap_characters, "must be 8 or more")
        require(
            0 < self.near_duplicate_threshold <= 1,
            "corpus.near_duplicate_threshold",
            self.near_duplicate_threshold,
            "is a similarity: above 0, at most 1",
        )
        require(0 <= self.held_out < 1, "corpus.held_out", self.held_out, "is a share: 0 (none) or more, below 1")
        require(self.engine in ("local", "ray"), "corpus.engine", self.engine, "must be one of: local, ray")
