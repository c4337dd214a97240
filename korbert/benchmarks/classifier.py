"""A classifier of sentences or of their words on an exported encoder: loaded, asked, saved."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PretrainedConfig,
    PreTrainedModel,
)

from korbert.benchmarks.batches import Answers, EncodedRows, evaluation_batches
from korbert.benchmarks.dropout import dropout_fields, without_weight_dropout
from korbert.benchmarks.first_token import read_first_token_only
from korbert.benchmarks.tokens import InputTokenizer
from korbert.errors import UsageError, WorldError

HEADS = {
    "sentence": AutoModelForSequenceClassification,
    "score": AutoModelForSequenceClassification,
    "words": AutoModelForTokenClassification,
    "characters": AutoModelForTokenClassification,
    "span": AutoModelForQuestionAnswering,
}
"""What transformers puts on an encoder, by the head that a task names."""
HEAD = ("classifier.", "pooler.", "pre_classifier.", "sequence_summary.", "qa_outputs.", "head.dense.", "head.norm.")
"""Weights that an encoder may lack: they are drawn anew, wherever in the name they stand."""

OFFSET_POSITIONS = frozenset(
    {
        "roberta",
        "xlm-roberta",
        "xlm-roberta-xl",
        "camembert",
        "roberta-prelayernorm",
        "data2vec-text",
        "xmod",
        "longformer",
    }
)
"""Encoders that number positions from the padding token's id + 1 (fairseq's habit): 514 positions hold 512 tokens."""

Advance = Callable[[int], None]
"""Told how many more rows are done."""


def read_config(folder: Path, **changes: object) -> PretrainedConfig:
    """The encoder's shape, with some fields changed.

    Raises:
        UsageError: when the folder holds none that can be read.
    """
    try:
        return AutoConfig.from_pretrained(str(folder), local_files_only=True, **changes)  # type: ignore[no-any-return]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{folder}: holds no encoder ({_first_line(error)}); run: korbert run --to export") from error


def load_classifier(
    folder: Path, labels: Sequence[str], dropout: float, seed: int, head: str = "sentence"
) -> PreTrainedModel:
    """The encoder with a new classification head, in training mode, on the CPU.

    Args:
        folder: Any encoder that transformers can load as a classifier of this kind.
        labels: Name of each label, 0 first.
        dropout: Of embeddings, sublayer outputs and the head, not of attention weights (see `dropout`).
        seed: Draws the head's weights.
        head: One of HEADS.

    Raises:
        UsageError: when the folder holds no such model, or its weights belong to another architecture (transformers
            would silently draw all of them anew).
    """
    quiet()
    torch.manual_seed(seed)
    config = read_config(folder, **_head(labels), **dropout_fields(read_config(folder), dropout))
    try:
        model, info = HEADS[head].from_pretrained(
            str(folder), config=config, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise UsageError(
            f"{folder}: holds no encoder that can be read ({_first_line(error)}); run: korbert run --to export"
        ) from error
    lost = [name for name in info["missing_keys"] if not any(part in name for part in HEAD)]
    if lost:
        raise UsageError(
            f"{folder}: its weights lack {len(lost)} of the model's tensors ({sorted(lost)[0]}, ...); "
            "config.json and weights must be of the same model: run: korbert run --to export"
        )
    return read_first_token_only(without_weight_dropout(model.train()))


def _head(labels: Sequence[str]) -> dict[str, object]:
    return {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
    }


def check_inputs(folder: Path, rows: EncodedRows) -> None:
    """Checks that the encoder has an embedding for every token and position of `rows`.

    Raises:
        UsageError: when it has not; on a GPU it would be an unreadable assertion.
    """
    config = read_config(folder)
    vocabulary = config.vocab_size
    if rows.tokens.max(initial=0) >= vocabulary:
        raise UsageError(
            f"{folder}: its tokenizer gives id {rows.tokens.max()}, its encoder knows {vocabulary} tokens; "
            "they must be of the same export: run: korbert run --to export"
        )
    most = positions(config)
    if most is not None and rows.lengths.max() > most:
        raise UsageError(
            f"finetune.max_tokens: rows have up to {rows.lengths.max()} tokens, the encoder in {folder} has "
            f"{most} positions; choose fewer"
        )


def positions(config: PretrainedConfig) -> int | None:
    """How many tokens a row may have; None: no limit."""
    most: int | None = getattr(config, "max_position_embeddings", None)
    if most is None or config.model_type not in OFFSET_POSITIONS:
        return most
    return most - int(config.pad_token_id or 0) - 1


def predicted(model: PreTrainedModel, rows: EncodedRows, pad: int, advance: Advance = lambda _: None) -> Answers:
    """What the model answers, as the rows lay it out: for labels as `gold` does, 0 for words that it does not see.

    Leaves the model in the mode it was in.
    """
    answers = rows.blank()
    training = model.training
    model.train(False)
    with torch.inference_mode():
        for numbers in evaluation_batches(rows.lengths):
            rows.fill(answers, numbers, rows.best(logits(model, rows, numbers, pad), numbers))
            advance(len(numbers))
    model.train(training)
    return answers


def logits(model: PreTrainedModel, rows: EncodedRows, numbers: NDArray[np.int64], pad: int) -> torch.Tensor:
    """Scores of the rows of these numbers: (b, labels), (b, t, labels) where words are labelled, or (b, 2, t) where a
    span is sought: of each token as its first and as its last, padding out of the question."""
    ids, mask = rows.padded(numbers, pad)
    mask = None if mask is None else mask.to(model.device)
    types = rows.types(numbers, ids.shape[1])
    given = {}
    if types is not None and getattr(model.config, "type_vocab_size", 0) > 1:
        given["token_type_ids"] = types.to(model.device)
    # Inside this call alone: autocast keeps its cast weights until it is left, and the optimiser changes the weights.
    with torch.autocast(model.device.type, torch.bfloat16, enabled=model.device.type == "cuda"):
        answer = model(input_ids=ids.to(model.device), attention_mask=mask, **given)
    if "logits" in answer:
        return answer.logits.float()  # type: ignore[no-any-return]
    scores = torch.stack([answer.start_logits, answer.end_logits], dim=1).float()
    return scores if mask is None else scores.masked_fill(mask[:, None] == 0, torch.finfo(scores.dtype).min)


def save_classifier(folder: Path, model: PreTrainedModel, tokenizer: InputTokenizer) -> None:
    """Writes a folder that transformers loads; it appears whole or not at all, in place of one that is there.

    Raises:
        WorldError: when the disk fails or is full.
    """
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        model.save_pretrained(str(part))
        tokenizer.save(part)
    except SafetensorError as error:  # its own class, not OSError, for a full disk
        shutil.rmtree(part, ignore_errors=True)
        raise WorldError(f"{folder}: cannot be written ({_first_line(error)}); free space, then run again") from error
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def quiet() -> None:
    """Keeps transformers' loading reports and bars off standard error: the head is new by design."""
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
