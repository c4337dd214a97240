"""The weights that training starts from: drawn by the seed, or those of a folder (`training.start`)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from korbert.config import Config, ModelConfig
from korbert.data.shards import TokenStore
from korbert.errors import UsageError
from korbert.model.build import build
from korbert.model.exchange import transformers_config
from korbert.model.folder import described, from_folder
from korbert.model.pretraining import Pretraining
from korbert.storage import read_json
from korbert.tokenizer.model import TOKENIZER_FILE


def initial_model(config: Config, store: TokenStore) -> Pretraining:
    """The model at step 0, on the CPU; what is drawn comes from torch's global generator.

    Raises:
        UsageError: when `training.start` names a model of another shape, vocabulary or arithmetic.
        WorldError: when its files cannot be read.
    """
    if not config.training.start:
        return build(config.model, store.vocab_size, store.special.pad)
    require_start(config, store)
    return from_folder(Path(config.training.start), config.model.dropout).model


def require_start(config: Config, store: TokenStore | None = None, tokenizer: Path | None = None) -> None:
    """Checks the folder's config.json against `model` and, where there are tokens already, against those.

    Args:
        config: the run's.
        store: the tokens to train on.
        tokenizer: folder of the tokenizer that made them: another vocabulary of the same size is found out where the
            model's folder has its tokenizer beside it.

    Raises:
        UsageError: as `initial_model`, before any weight is read.
    """
    said = f"training.start = {config.training.start!r}"
    folder = Path(config.training.start)
    found = described(folder, config.model.dropout)
    if wrong := _differing(config.model, found.shape):
        values = asdict(found.shape)
        options = " ".join(f"--set model.{name}={values[name]}" for name in wrong)
        raise UsageError(f"{said}: its model has another shape than model.* says; start with it by: {options}")
    if store is not None and (found.vocab_size, found.pad_id) != (store.vocab_size, store.special.pad):
        raise UsageError(
            f"{said}: its vocabulary has {found.vocab_size} entries and pads with {found.pad_id}, the tokens' has "
            f"{store.vocab_size} and pads with {store.special.pad}; both must come from one tokenizer"
        )
    if tokenizer is not None and (vocabulary := _vocabulary(folder)) and vocabulary != _vocabulary(tokenizer):
        raise UsageError(f"{said}: its vocabulary is not that of {tokenizer}; both must come from one tokenizer")


def _differing(wanted: ModelConfig, found: ModelConfig) -> list[str]:
    """Names of the fields that make `found` another model; dropout is training's own."""
    if transformers_config(wanted, 0, 0) == transformers_config(found, 0, 0):
        return []
    ours, theirs = asdict(wanted), asdict(found)
    return [name for name, value in theirs.items() if name != "dropout" and ours[name] != value]


def _vocabulary(folder: Path) -> Any:
    """Pieces and their ids, of whatever kind of tokenizer; None where the folder has none."""
    file = folder / TOKENIZER_FILE
    return read_json(file)["model"]["vocab"] if file.is_file() else None
