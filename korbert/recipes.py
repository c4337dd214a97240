"""Named runs: each a function that returns one whole config; a variant changes a few fields of another.

demo    the articles and reviews that ship, minutes on two cores: every stage once, for real
tiny    a two-layer model for a quick look at your own articles
small   a few thousand articles to a usable model in well under an hour on two cores
base    BERT-base shape with a 32k vocabulary, for GPUs and a corpus of your own
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from korbert.config import (
    Config,
    CorpusConfig,
    CrawlConfig,
    DataConfig,
    FinetuneConfig,
    ModelConfig,
    TokenizerConfig,
    TrainingConfig,
    TuneConfig,
)
from korbert.errors import UsageError


def tiny() -> Config:
    """A two-layer model of BERT-tiny's width (Turc et al. 2019: L2, H128)."""
    return Config(
        recipe="tiny",
        # `korbert run` crawls a newsroom of its own on this machine: no politeness delay. Other sites get the default.
        crawl=CrawlConfig(delay=0.0, concurrency=16),
        tokenizer=TokenizerConfig(vocab_size=8_000, limit_alphabet=3_000),
        data=DataConfig(max_tokens=128),
        model=ModelConfig(layers=2, hidden=128, heads=2, intermediate=512, max_positions=128, dropout=0.0),
        training=TrainingConfig(
            epochs=10, global_batch=64, row_tokens=128, rows_per_micro_batch=16, lr=2e-3, checkpoint_every=50
        ),
        finetune=FinetuneConfig(epochs=3, lr=3e-4, max_tokens=64, train_limit=20_000),
        tune=TuneConfig(trials=6),
    )


def demo() -> Config:
    """`tiny` on what ships with the project."""
    base = tiny()
    return replace(
        base,
        recipe="demo",
        crawl=replace(base.crawl, since="2016-01", until="2025-12"),
        tokenizer=replace(base.tokenizer, vocab_size=4_000, limit_alphabet=2_000),
        training=replace(base.training, epochs=12, global_batch=16),
        finetune=replace(base.finetune, epochs=8, lr=5e-4, train_limit=0),
        tune=replace(base.tune, trials=4, epochs=4, train_limit=0, validation_limit=0, finalists=2, final_seeds=(1, 2)),
    )


def small() -> Config:
    """Four layers of width 256 (BERT-mini's shape, Turc et al. 2019)."""
    return replace(
        tiny(),
        recipe="small",
        tokenizer=TokenizerConfig(vocab_size=8_000, limit_alphabet=3_000),
        data=DataConfig(max_tokens=128),
        model=ModelConfig(layers=4, hidden=256, heads=4, intermediate=1024, max_positions=128, dropout=0.0),
        training=TrainingConfig(
            epochs=2,
            global_batch=32,
            row_tokens=128,
            rows_per_micro_batch=16,
            lr=1e-3,
            warmup=0.1,
            checkpoint_every=100,
        ),
        finetune=FinetuneConfig(epochs=2, lr=2e-4, max_tokens=64, train_limit=20_000),
        tune=TuneConfig(trials=4, train_limit=2_000),
    )


def base() -> Config:
    """BERT-base (Devlin et al. 2019: L12, H768), 32k vocabulary, 512 tokens."""
    return Config(
        recipe="base",
        crawl=CrawlConfig(delay=0.0, concurrency=16),
        corpus=CorpusConfig(workers=8),
        training=TrainingConfig(epochs=40, warmup=0.02, workers=1, checkpoint_every=1_000, log_every=50),
        tune=TuneConfig(trials=24, train_limit=0, validation_limit=0, epochs=4),
    )


RECIPES: dict[str, Callable[[], Config]] = {"demo": demo, "tiny": tiny, "small": small, "base": base}


def recipe(name: str) -> Config:
    """The config of a named recipe.

    Raises:
        UsageError: for a name that is none.
    """
    if name not in RECIPES:
        raise UsageError(f"recipe {name!r}: there is no such recipe; there are: {', '.join(RECIPES)}")
    return RECIPES[name]()
