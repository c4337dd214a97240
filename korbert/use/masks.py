"""What a pre-trained model puts in the place of a mask, and whether it takes two texts to stand in their order.

t tokens, m masks, V vocabulary. A folder that transformers loads is read by transformers; a checkpoint of a running
pre-training holds our names, and is read by our own model, as is the sentence-order head of any folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForMaskedLM, AutoTokenizer, PreTrainedTokenizerBase

import korbert.tokenizer.morphemes  # noqa: F401  AutoTokenizer then knows the class that cuts texts into morphemes
from korbert.benchmarks.classifier import positions, quiet, read_config
from korbert.config import ModelConfig
from korbert.errors import UsageError, WorldError
from korbert.model.build import build
from korbert.model.folder import from_folder
from korbert.model.pretraining import Pretraining
from korbert.storage import read_json
from korbert.training.checkpoint import MODEL, RECORD

MASK = "[MASK]"
"""What stands for the tokenizer's own mask in a text."""


@dataclass(frozen=True)
class Fill:
    """One token for one mask."""

    mask: int
    """Which of the text's masks, from 0."""
    token: str
    probability: float
    text: str
    """The text with the token in the mask's place; other masks stay."""


@dataclass(frozen=True)
class MaskedModel:
    """A pre-trained model with its tokenizer."""

    tokenizer: PreTrainedTokenizerBase
    most: int | None
    """Tokens of a text at most; None: no limit."""
    scores: Callable[[Tensor], Tensor]
    """(1, t) ids -> (t, V) scores of every token."""
    ordered: Callable[[], Pretraining]
    """The model with a sentence-order head; raises UsageError where there is none."""

    def fill(self, text: str, top: int = 5) -> list[Fill]:
        """The `top` likeliest tokens of each mask, likeliest first.

        Raises:
            UsageError: for a text without a mask, or with more tokens than the model has positions.
        """
        own = str(self.tokenizer.mask_token)
        parts = text.split(MASK)
        ids = self._ids(own.join(parts))
        places = torch.nonzero(ids[0] == self.tokenizer.mask_token_id)[:, 0]
        if not len(places) or len(places) != len(parts) - 1:
            raise UsageError(f"{text[:60]!r}: holds no {MASK} that the tokenizer keeps whole; write {MASK} for a word")
        with torch.inference_mode():
            probabilities = self.scores(ids)[places].double().softmax(-1)
        found = []
        for number, line in enumerate(probabilities):
            values, tokens = line.topk(min(top, len(line)))
            for value, token in zip(values.tolist(), tokens.tolist(), strict=True):
                name = str(self.tokenizer.convert_ids_to_tokens(token))
                found.append(Fill(number, name, value, self._filled(parts, number, token)))
        return found

    def in_order(self, first: str, second: str) -> float:
        """The probability that `second` follows `first`, 0 to 1.

        Raises:
            UsageError: for a model without a sentence-order head, or texts of too many tokens.
        """
        model = self.ordered()
        frame = self.tokenizer(first, second, return_tensors="pt", return_token_type_ids=True, verbose=False)
        tokens, segments = self._fitting(frame["input_ids"])[0], frame["token_type_ids"][0]
        with torch.inference_mode():
            hidden = model.encoder(tokens, torch.arange(len(tokens)), segments, [len(tokens)])
            scores: Tensor = model.order(model.encoder.pool(hidden, [len(tokens)]))[0]
        return float(scores.double().softmax(-1)[0])

    def _ids(self, text: str) -> Tensor:
        return self._fitting(self.tokenizer(text, return_tensors="pt", verbose=False)["input_ids"])

    def _fitting(self, ids: Tensor) -> Tensor:
        if self.most is not None and ids.shape[1] > self.most:
            raise UsageError(f"text: has {ids.shape[1]} tokens, the model {self.most} positions; give a shorter one")
        return ids

    def _filled(self, parts: list[str], number: int, token: int) -> str:
        piece = str(self.tokenizer.convert_ids_to_tokens(token))
        before, after = MASK.join(parts[: number + 1]), MASK.join(parts[number + 1 :])
        if piece.startswith("##"):
            return before.rstrip() + piece.removeprefix("##") + after
        return before + (str(self.tokenizer.decode([token])).strip() or piece) + after


def load_masked(folder: Path, tokenizer: Path | None = None) -> MaskedModel:
    """The model of an export, a pre-training's checkpoint, or any folder with a masked-token head.

    Args:
        folder: Holds config.json and weights, or checkpoint.json; or a run with its export.
        tokenizer: A checkpoint has none of its own; None: the one of the run that it lies in.

    Raises:
        UsageError: when there is no such model, or no tokenizer.
        WorldError: when the weights cannot be read.
    """
    quiet()
    if (folder / "export" / "config.json").is_file():  # a run
        folder = folder / "export"
    if (folder / RECORD).is_file():
        return _checkpoint(folder, tokenizer or folder.resolve().parents[2] / "tokenizer")
    config = read_config(folder)
    model = _transformer(folder)

    def scores(ids: Tensor) -> Tensor:
        answer: Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        return answer[0]

    return MaskedModel(_tokenizer(tokenizer or folder), positions(config), scores, lambda: _with_order(folder))


def _transformer(folder: Path) -> torch.nn.Module:
    try:
        model, info = AutoModelForMaskedLM.from_pretrained(
            str(folder), local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UsageError(f"{folder}: holds no model with a masked-token head ({reason}); name an export") from error
    if missing := sorted(info["missing_keys"]):
        raise UsageError(f"{folder}: its weights lack {missing[0]}: it has no masked-token head; name an export")
    loaded: torch.nn.Module = model.eval()
    return loaded


def _with_order(folder: Path) -> Pretraining:
    found = from_folder(folder, dropout=0.0)
    if "order.weight" in found.drawn or "encoder.pooler.weight" in found.drawn:
        raise UsageError(f"{folder}: has no sentence-order head; name the export of a run")
    return found.model.eval()


def _checkpoint(folder: Path, place: Path) -> MaskedModel:
    """The model of a checkpoint's own config and weights."""
    shape = _shape(folder, read_json(folder / RECORD).get("config", {}))
    try:
        weights = load_file(folder / MODEL)
    except (OSError, SafetensorError) as error:
        raise WorldError(f"{folder / MODEL}: cannot be read ({error}); name another checkpoint") from error
    tokenizer = _tokenizer(place)
    model = build(shape, len(weights["decoder_bias"]), int(tokenizer.pad_token_id or 0))
    model.load_state_dict(weights)
    model.eval()

    def scores(ids: Tensor) -> Tensor:
        tokens = ids[0]
        hidden = model.encoder(tokens, torch.arange(len(tokens)), torch.zeros_like(tokens), [len(tokens)])
        return model.token_logits(hidden)

    return MaskedModel(tokenizer, shape.max_positions, scores, lambda: model)


def _shape(folder: Path, config: dict[str, object]) -> ModelConfig:
    fields = {name.removeprefix("model."): value for name, value in config.items() if name.startswith("model.")}
    try:
        return ModelConfig(**fields)  # type: ignore[arg-type]
    except TypeError as error:
        raise UsageError(f"{folder / RECORD}: is no pre-training's checkpoint ({error}); name another one") from error


def _tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    try:
        found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except UsageError:
        raise  # the analyser is missing
    except (OSError, ValueError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UsageError(f"{folder}: holds no tokenizer ({reason}); name one by --tokenizer") from error
    if found.mask_token_id is None:
        raise UsageError(f"{folder}: its tokenizer has no mask; name a model that was pre-trained on masked tokens")
    return found
