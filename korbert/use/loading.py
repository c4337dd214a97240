"""A fine-tuned model, ready to be asked: weights, tokenizer, head, names of its labels, and how long its rows may be.

A finetune artefact's manifest says what its model was trained on; a bare folder says what its class and its labels
tell, and for the rest there are arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import PretrainedConfig, PreTrainedModel

from korbert import tasks
from korbert.benchmarks.classifier import HEADS, positions, quiet, read_config
from korbert.benchmarks.first_token import read_first_token_only
from korbert.benchmarks.material import LIMITS
from korbert.benchmarks.tokens import InputTokenizer, load_tokenizer
from korbert.benchmarks.windows import Limits
from korbert.config import FinetuneConfig
from korbert.errors import UsageError
from korbert.storage import read_json, read_jsonl, read_manifest
from korbert.training.process_group import World, device_of
from korbert.use.rows import Shape

KINDS = {
    "ForSequenceClassification": ("sentence", "score"),
    "ForTokenClassification": ("words", "characters"),
    "ForQuestionAnswering": ("span",),
}
"""Heads by the end of the class that config.json names."""
WINDOW_TOKENS = 512
"""Tokens of a question with a window of its passage, where nothing says how many (KoELECTRA, KLUE: 512)."""


@dataclass(frozen=True)
class Origin:
    """What is known of a model's training."""

    task: str = ""
    """Empty: not known."""
    max_tokens: int = 0
    """0: not known."""
    limits: Limits = LIMITS
    may_lack: bool = False
    """Whether a question may have no answer."""


@dataclass(frozen=True)
class Usable:
    """A model with all that its answers need."""

    folder: Path
    head: str
    """One of HEADS."""
    labels: tuple[str, ...]
    task: str
    max_tokens: int
    limits: Limits
    may_lack: bool
    tokenizer: InputTokenizer
    model: PreTrainedModel

    @property
    def shape(self) -> Shape:
        """What its rows look like."""
        return Shape.of(self.head, self.task)


def load(place: Path, *, task: str = "", max_tokens: int = 0) -> Usable:
    """The model of a folder, a finetune artefact, or a run.

    Args:
        place: Folder with config.json and weights; or one that holds it as `model` or `finetune/model`.
        task: What it was fine-tuned on; empty: what the artefact says, else what its labels tell.
        max_tokens: Longer rows are cut; 0: as in training, else 128 (512 with a passage).

    Raises:
        UsageError: when there is no fine-tuned model, or `task` cannot be its.
    """
    folder = model_folder(place)
    origin = _origin(folder)
    config = read_config(folder)
    named: dict[Any, Any] = config.id2label or {}
    labels = tuple(suffixed(str(named[number])) for number in sorted(named))
    name = _task(task or origin.task, given=bool(task))
    head = _head(folder, config, name, labels)
    return Usable(
        folder, head, labels, name, _max_tokens(config, head, max_tokens or origin.max_tokens, given=bool(max_tokens)),
        origin.limits, origin.may_lack or name == "klue-mrc", load_tokenizer(folder), _ready(plain_model(folder, head)),
    )  # fmt: skip


def model_folder(place: Path) -> Path:
    """The folder with the fine-tuned model's config.json.

    Raises:
        UsageError: when there is none.
    """
    for folder in (place / "finetune" / "model", place / "model", place):
        if (folder / "config.json").is_file() and "model_type" in read_json(folder / "config.json"):
            return folder
    raise UsageError(f"{place}: holds no model (no config.json of one); name a finetune artefact or its model folder")


def suffixed(label: str) -> str:
    """B-PER as PER-B, as our tasks name tags; any other label as it is."""
    return f"{label[2:]}-{label[0]}" if label[:2] in ("B-", "I-") and len(label) > 2 else label


def _origin(folder: Path) -> Origin:
    manifest = read_manifest(folder.parent) if folder.name == "model" else None
    if manifest is None or manifest.stage != "finetune":
        return Origin()
    given: dict[str, Any] = manifest.config
    limits = Limits(
        given.get("finetune.stride", Limits.stride), given.get("finetune.answer_tokens", Limits.answer_tokens)
    )
    return Origin(
        given.get("finetune.task", ""), given.get("finetune.max_tokens", 0), limits, _may_lack(folder.parent)
    )  # fmt: skip


def _may_lack(artefact: Path) -> bool:
    """Whether the answers to the test file were scored against none: only then do they say what none scores."""
    lines, listed = artefact / "predictions.jsonl", artefact / "predictions.json"
    first: list[Any] = list(read_jsonl(lines, limit=1)) if lines.is_file() else []
    if not first and listed.is_file():  # artefacts of before
        first = read_json(listed)[:1]
    return any("no_answer" in entry for entry in first)


def _task(name: str, *, given: bool) -> str:
    if given and name not in tasks.names():
        raise UsageError(f"--task {name}: must be one of: {', '.join(tasks.names())}")
    return name if name in tasks.names() else ""


def _head(folder: Path, config: PretrainedConfig, task: str, labels: tuple[str, ...]) -> str:
    named = (config.architectures or [""])[0]
    kinds = next((heads for ending, heads in KINDS.items() if named.endswith(ending)), None)
    if kinds is None:
        raise UsageError(
            f"{folder}: holds {named or 'an encoder'}, which has no head for a task; "
            "make one: korbert finetune MODEL TASK"
        )
    if task:
        if tasks.task(task).head not in kinds:
            raise UsageError(
                f"--task {task}: wants head {tasks.task(task).head}, {folder} has {named} "
                f"({' or '.join(kinds)}); choose the task that it was fine-tuned on"
            )
        return tasks.task(task).head
    if kinds[0] == "sentence":
        return "score" if len(labels) == 1 else "sentence"
    alike = (tasks.task(name) for name in tasks.names())
    return next((found.head for found in alike if found.labels == labels and found.head in kinds), kinds[0])


def _max_tokens(config: PretrainedConfig, head: str, wanted: int, *, given: bool) -> int:
    most = positions(config)
    if given and wanted < 8:
        raise UsageError(f"--max-tokens {wanted}: must be 8 or more")
    if given and most is not None and wanted > most:
        raise UsageError(f"--max-tokens {wanted}: the encoder has {most} positions; choose no more")
    default = WINDOW_TOKENS if head == "span" else FinetuneConfig.max_tokens
    return min(wanted or default, most or wanted or default)


def _ready(model: PreTrainedModel) -> PreTrainedModel:
    return read_first_token_only(torch.nn.Module.to(model, device_of("auto", World())))


def plain_model(folder: Path, head: str) -> PreTrainedModel:
    """The model as transformers has it, on the CPU, not in training.

    Raises:
        UsageError: when the folder's weights are not such a model's.
    """
    quiet()
    try:
        model, info = HEADS[head].from_pretrained(
            str(folder), local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UsageError(f"{folder}: holds no model that can be read ({reason}); copy the model again") from error
    if missing := sorted(info["missing_keys"]):
        raise UsageError(f"{folder}: its weights lack {missing[0]}; config.json and weights must be of the same model")
    loaded: PreTrainedModel = model.eval()
    return loaded
