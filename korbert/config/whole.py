"""One whole run: all sections, and the rules between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from korbert.config.corpus import CorpusConfig
from korbert.config.crawl import CrawlConfig
from korbert.config.data import DataConfig
from korbert.config.finetune import FinetuneConfig
from korbert.config.model import ModelConfig
from korbert.config.rules import require
from korbert.config.tokenizer import TokenizerConfig
from korbert.config.tracking import TrackingConfig
from korbert.config.training import TrainingConfig
from korbert.config.tune import TuneConfig


@dataclass(frozen=True)
class Config:
    """One whole run."""

    recipe: str
    """Name of the run; its workspace is runs/<name> unless told otherwise."""
    seed: int = 1
    """Seed of sample order, masks, weights and everything else that is drawn."""
    crawl: CrawlConfig = field(default_factory=CrawlConfig)
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    finetune: FinetuneConfig = field(default_factory=FinetuneConfig)
    tune: TuneConfig = field(default_factory=TuneConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        require(bool(self.recipe) and "/" not in self.recipe, "recipe", self.recipe, "must be a plain name")
        require(0 <= self.seed < 2**32, "seed", self.seed, "must be 0 to 4294967295")
        limit = min(self.model.max_positions, self.training.row_tokens)
        require(
            self.data.max_tokens <= limit,
            "data.max_tokens",
            self.data.max_tokens,
            f"must fit model.max_positions = {self.model.max_positions} "
            f"and training.row_tokens = {self.training.row_tokens}",
        )
        require(
            not self.training.short_epochs or 16 <= self.training.short_tokens < self.data.max_tokens,
            "training.short_tokens",
            self.training.short_tokens,
            f"must be 16 to below data.max_tokens = {self.data.max_tokens} with training.short_epochs",
        )
        require(
            self.finetune.max_tokens <= self.model.max_positions,
            "finetune.max_tokens",
            self.finetune.max_tokens,
            f"must not pass model.max_positions = {self.model.max_positions}",
        )
