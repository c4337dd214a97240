"""The configuration of a run: frozen dataclasses, a docstring a field, checked where they are built.

Each section has a module of its own. A run has one `Config`; each stage reads its own section. `overridden` applies
`section.field=value` texts, `as_toml` prints a whole config with every field's docstring, `to_dict` and `from_dict`
carry it to other processes.
"""

from korbert.config.corpus import CorpusConfig
from korbert.config.crawl import CrawlConfig
from korbert.config.data import DataConfig
from korbert.config.finetune import FinetuneConfig
from korbert.config.forms import as_toml, field_docs, from_dict, overridden, to_dict
from korbert.config.model import ModelConfig
from korbert.config.tokenizer import TokenizerConfig
from korbert.config.tracking import TrackingConfig
from korbert.config.training import TrainingConfig
from korbert.config.tune import TuneConfig
from korbert.config.whole import Config

__all__ = [
    "Config",
    "CorpusConfig",
    "CrawlConfig",
    "DataConfig",
    "FinetuneConfig",
    "ModelConfig",
    "TokenizerConfig",
    "TrackingConfig",
    "TrainingConfig",
    "TuneConfig",
    "as_toml",
    "field_docs",
    "from_dict",
    "overridden",
    "to_dict",
]
