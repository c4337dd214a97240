"""A transformers folder as a model of ours, to pre-train it further.

Any `bert`, `albert` or `modernbert` folder whose arithmetic is ours: config.json and safetensors, whole or in parts,
with the pre-training heads or without them. What differs is refused by its name, before any weight is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from korbert.config import ModelConfig
from korbert.errors import UsageError, WorldError
from korbert.model.build import build
from korbert.model.exchange import CLASSES, transformers_config
from korbert.model.names import beside, heads, names
from korbert.model.pretraining import Pretraining
from korbert.storage import read_json

BESIDE_FILE = "sentence_order.safetensors"
"""Beside model.safetensors: our weights that its class has no place for; transformers does not open it."""

GLOBAL_EVERY = ModelConfig.global_every

_ARCHITECTURES = {"bert": "bert", "albert": "albert", "modernbert": "modern"}
_PREFIXES = {"bert": "bert.", "albert": "albert.", "modern": "model."}
_DECODERS = {"bert": "cls.predictions.decoder", "albert": "predictions.decoder", "modern": "decoder"}
# Fields of a config that pre-training does not compute with, or takes as they are.
_FREE = frozenset(
    {
        "architectures", "initializer_range", "initializer_cutoff_factor", "pad_token_id", "bos_token_id",
        "eos_token_id", "cls_token_id", "sep_token_id", "hidden_dropout_prob", "attention_probs_dropout_prob",
        "classifier_dropout_prob", "classifier_pooling", "local_attention", "rope_parameters",
    }
)  # fmt: skip


class Described(NamedTuple):
    """What a folder's config.json says."""

    shape: ModelConfig
    vocab_size: int
    pad_id: int


class Imported(NamedTuple):
    """A folder's model."""

    shape: ModelConfig
    model: Pretraining
    """With the folder's weights."""
    vocab_size: int
    pad_id: int
    drawn: tuple[str, ...]
    """Our weights that the folder lacks, heads only: drawn anew."""


def described(folder: Path, dropout: float = 0.1) -> Described:
    """Reads config.json alone.

    Raises:
        UsageError: for a model that ours cannot be, by the field that differs.
        WorldError: when the file cannot be read.
    """
    fields = _read_config(folder)
    shape = _shape(folder, fields, dropout)
    _check_fields(folder, fields, shape)
    return Described(shape, fields["vocab_size"], fields.get("pad_token_id") or 0)


def from_folder(folder: Path, dropout: float = 0.1) -> Imported:
    """Reads config.json and the weights of `folder`.

    Args:
        folder: as `save_pretrained` or our export wrote it.
        dropout: of the pre-training to come; the folder's own is for fine-tuning.

    Raises:
        UsageError: for a model that ours cannot be, by the field or weight that differs.
        WorldError: when a file cannot be read.
    """
    shape, vocab_size, pad_id = described(folder, dropout)
    model = build(shape, vocab_size, pad_id)
    own = model.state_dict()
    weights = _ours(folder, _theirs(folder, shape), shape) | _read_beside(folder, shape)
    for name, tensor in weights.items():
        if tensor.shape != own[name].shape:
            raise UsageError(
                f"{folder}: {name} has the shape {tuple(tensor.shape)}, by config.json it is {tuple(own[name].shape)}; "
                "config.json and weights must be of the same model"
            )
    model.load_state_dict(weights, strict=False)
    return Imported(shape, model, vocab_size, pad_id, tuple(sorted(own.keys() - weights.keys())))


def _read_config(folder: Path) -> dict[str, Any]:
    """config.json with the defaults of its class, older spellings made new."""
    from transformers import AutoConfig

    kind = read_json(folder / "config.json").get("model_type")
    if kind not in _ARCHITECTURES:
        raise UsageError(f"{folder}/config.json: model_type = {kind!r}: must be one of: {', '.join(_ARCHITECTURES)}")
    try:
        fields: dict[str, Any] = AutoConfig.from_pretrained(str(folder), local_files_only=True).to_dict()
    except Exception as error:  # transformers and its checks raise classes of many kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UsageError(f"{folder}/config.json: cannot be read ({reason}); copy the model again") from error
    return fields


def _shape(folder: Path, fields: dict[str, Any], dropout: float) -> ModelConfig:
    architecture = _ARCHITECTURES[fields["model_type"]]
    try:
        return ModelConfig(
            layers=fields["num_hidden_layers"],
            hidden=fields["hidden_size"],
            heads=fields["num_attention_heads"],
            intermediate=fields["intermediate_size"],
            max_positions=fields["max_position_embeddings"],
            dropout=dropout,
            architecture=architecture,
            **(_albert(fields) if architecture == "albert" else _modern(fields) if architecture == "modern" else {}),
        )
    except UsageError as error:
        raise UsageError(f"{folder}/config.json: {error}") from error


def _albert(fields: dict[str, Any]) -> dict[str, Any]:
    width = fields["embedding_size"]
    return {
        "share_layers": fields["num_hidden_groups"] == 1,
        "embedding": 0 if width == fields["hidden_size"] else width,
    }


def _modern(fields: dict[str, Any]) -> dict[str, Any]:
    kinds, rope = fields["layer_types"], fields["rope_parameters"]
    theta = {"rope_theta": float(rope["full_attention"]["rope_theta"])}
    if "sliding_attention" not in kinds:
        return theta
    # Without a second whole layer any number from the layers' on says the same: ModernBERT's own, if it is one.
    every = kinds.index("full_attention", 1) if "full_attention" in kinds[1:] else max(len(kinds), GLOBAL_EVERY)
    return theta | {"local_attention": fields["local_attention"], "global_every": every}


def _check_fields(folder: Path, fields: dict[str, Any], shape: ModelConfig) -> None:
    """What our model of this shape would be exported as is what the folder must say."""
    ours = transformers_config(shape, fields["vocab_size"], 0)
    wanted = {name: value for name, value in ours.items() if name not in _FREE} | {"tie_word_embeddings": True}
    if shape.architecture == "bert":
        wanted |= {"is_decoder": False, "add_cross_attention": False}
    wrong = {name: fields[name] for name in wanted if name in fields and fields[name] != wanted[name]}
    for name, value in wrong.items():
        raise UsageError(
            f"{folder}/config.json: {name} = {value!r}: must be {wanted[name]!r}, "
            f"model.architecture={shape.architecture} computes nothing else; choose another model"
        )
    if fields.get("position_embedding_type", "absolute") != "absolute":
        raise UsageError(
            f"{folder}/config.json: position_embedding_type = {fields['position_embedding_type']!r}: must be "
            "'absolute'; choose another model"
        )
    if shape.architecture == "modern":
        _check_rotation(folder, fields, ours["rope_parameters"])


def _check_rotation(folder: Path, fields: dict[str, Any], wanted: dict[str, Any]) -> None:
    for kind in sorted(set(fields["layer_types"])):
        found = fields["rope_parameters"][kind]
        if any(found.get(name) != value for name, value in wanted[kind].items()):
            raise UsageError(
                f"{folder}/config.json: rope_parameters.{kind} = {found!r}: must be {wanted[kind]!r}; "
                "choose another model"
            )


def _theirs(folder: Path, shape: ModelConfig) -> dict[str, Tensor]:
    """All tensors of the folder in float32, under the names of the class with heads."""
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if index.is_file() and not single.is_file():
        files = sorted({folder / str(name) for name in read_json(index)["weight_map"].values()})
    elif single.is_file():
        files = [single]
    else:
        raise UsageError(
            f"{folder}: holds no model.safetensors; older formats are converted by transformers: "
            "AutoModelForPreTraining.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        )
    found = {name: tensor for file in files for name, tensor in _load(file).items()}
    prefix = _PREFIXES[shape.architecture]
    bare = not any(name.startswith(prefix) for name in found)  # saved from the class without heads
    return {(prefix if bare else "") + _renamed(name): tensor.float() for name, tensor in found.items()}


def _renamed(name: str) -> str:
    """Norms as torch calls them; the first checkpoints have TensorFlow's names."""
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _load(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise WorldError(f"{file}: cannot be read ({error}); copy the model again") from error


def _ours(folder: Path, theirs: dict[str, Tensor], shape: ModelConfig) -> dict[str, Tensor]:
    """The weights under our names; only heads may be missing, no part of an encoder may be left over."""
    known, optional, architecture = names(shape), heads(shape), shape.architecture
    weights, decoder = {}, _DECODERS[architecture]
    _check_tied(folder, theirs, f"{decoder}.weight", known["encoder.embeddings.tokens.weight"][0])
    for ours, parts in known.items():
        if all(name in theirs for name in parts):
            weights[ours] = torch.cat([theirs[name] for name in parts])
        elif ours == "decoder_bias" and f"{decoder}.bias" in theirs:
            weights[ours] = theirs[f"{decoder}.bias"]
        elif ours not in optional:
            missing = next(name for name in parts if name not in theirs)
            raise UsageError(
                f"{folder}: has no weight {missing}; it must be a {CLASSES[architecture]} of {shape.layers} layers"
            )
    expected = {name for parts in known.values() for name in parts}
    for name in sorted(theirs.keys() - expected):
        if name.startswith(_PREFIXES[architecture]) and not name.endswith(("position_ids", "token_type_ids")):
            raise UsageError(
                f"{folder}: has a weight {name} that a {CLASSES[architecture]} of {shape.layers} layers has not; "
                "config.json and weights must be of the same model"
            )
    return weights


def _check_tied(folder: Path, theirs: dict[str, Tensor], decoder: str, embeddings: str) -> None:
    if decoder in theirs and embeddings in theirs and not torch.equal(theirs[decoder], theirs[embeddings]):
        raise UsageError(
            f"{folder}: {decoder} differs from {embeddings}: the masked-token head must be tied to the embeddings; "
            "choose another model"
        )


def _read_beside(folder: Path, shape: ModelConfig) -> dict[str, Tensor]:
    file = folder / BESIDE_FILE
    if not beside(shape) or not file.is_file():
        return {}
    found = _load(file)
    for name in beside(shape):
        if name not in found:
            raise UsageError(f"{file}: has no weight {name}; export the model again, or remove the file")
    return {name: found[name].float() for name in beside(shape)}
