"""Stage `export`: the pre-trained model as a folder that transformers loads, with its tokenizer and a model card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from korbert import chain
from korbert.chain import Workspace
from korbert.config import Config, ModelConfig
from korbert.errors import WorldError
from korbert.model.exchange import CLASSES, to_transformers, transformers_config, weights_beside
from korbert.model.folder import BESIDE_FILE
from korbert.storage import Manifest, fresh, publishing, read_json, write_bytes, write_json
from korbert.tokenizer.model import FILES, SETTINGS_FILE
from korbert.training.preflight import require_descent

# As transformers calls the architectures.
CLASS_TAGS = {"bert": "bert", "albert": "albert", "modern": "modernbert"}
ORDER_HEADS = {
    "bert": "The sentence-order head is stored as BERT's two-way next-sentence head",
    "albert": "The sentence-order head is ALBERT's own (`AlbertForPreTraining`)",
    "modern": f"The class has no sentence-order head; ours lies in `{BESIDE_FILE}`, which transformers does not open",
}


def run(config: Config, workspace: Workspace) -> Manifest:
    """Publishes the export of the workspace's finished pre-training.

    Raises:
        UsageError: when pre-training or the tokenizer has not finished, or the one was not made with the other.
        WorldError: when the weights cannot be read or the disk fails.
    """
    plan = chain.plan(config, workspace, "export")
    if manifest := fresh(plan):
        return manifest
    for stage, before in (("tokens", "tokenizer"), ("pretrain", "tokens")):
        require_descent(workspace, stage, before)
    pretrain, tokenizer = workspace.path("pretrain"), workspace.path("tokenizer")
    weights = pretrain / "model.safetensors"
    try:
        ours = load_file(weights)
    except Exception as error:  # safetensors raises a class of its own, and OSError
        raise WorldError(f"{weights}: cannot be read ({error}); run: korbert run --from pretrain") from error
    with publishing(plan) as draft:
        write_model(draft.path, ours, config.model)
        for name in FILES:
            if (tokenizer / name).is_file():
                shutil.copyfile(tokenizer / name, draft.path / name)
        fit_tokenizer(draft.path, config.model)
        summary = read_json(pretrain / "summary.json")
        licences = workspace.manifest("corpus").licences
        write_bytes(draft.path / "README.md", model_card(config, summary, licences).encode())
        draft.counts = {"parameters": sum(t.numel() for t in ours.values()), "vocab_size": len(ours["decoder_bias"])}
        draft.licences = licences
    return workspace.manifest("export")


def write_model(folder: Path, weights: Mapping[str, Tensor], shape: ModelConfig) -> None:
    """Config and weights as transformers reads them; what its class has no place for lies beside, in `BESIDE_FILE`.

    Raises:
        OSError, SafetensorError: when the disk fails or is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file(to_transformers(weights, shape), folder / "model.safetensors", metadata={"format": "pt"})
    if beside := weights_beside(weights, shape):
        save_file(beside, folder / BESIDE_FILE, metadata={"format": "pt"})
    write_json(folder / "config.json", transformers_config(shape, len(weights["decoder_bias"]), pad_id=0))


def fit_tokenizer(folder: Path, shape: ModelConfig) -> None:
    """Lets the tokenizer in an export give what its model takes: its greatest length, and segments where it has any.

    Raises:
        OSError: when the disk fails or is full.
    """
    settings = folder / SETTINGS_FILE
    given = read_json(settings)
    if shape.architecture == "modern":
        given["model_input_names"] = [name for name in given["model_input_names"] if name != "token_type_ids"]
    write_json(settings, given | {"model_max_length": shape.max_positions})


def model_card(config: Config, summary: dict[str, Any], licences: dict[str, int]) -> str:
    """What the model is, how it was made and what may be done with it, as Markdown."""
    shape = config.model
    rows = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(licences.items()))
    analysed = "\nimport korbert.tokenizer.morphemes  # texts are cut into morphemes: pip install korbert[morphemes]"
    return f"""---
language: ko
library_name: transformers
tags: [{CLASS_TAGS[shape.architecture]}, korean, news]
---
# Korean BERT `{config.recipe}`

{_described(config)}, at most {shape.max_positions} tokens,
pre-trained by korbert on Korean news with masked-token prediction and sentence-order prediction.

```python
from transformers import AutoModelForMaskedLM, AutoTokenizer{analysed * (config.tokenizer.analyse == "always")}
tokenizer = AutoTokenizer.from_pretrained("FOLDER")
model = AutoModelForMaskedLM.from_pretrained("FOLDER")
```

| pre-training | |
|---|---|
| steps | {summary.get("steps", 0):,} |
| tokens | {summary.get("tokens", 0):,} |
| masked-token loss (nats) | {summary.get("mlm", float("nan")):.4f} |
| sentence-order loss (nats) | {summary.get("sop", float("nan")):.4f} |
| unigram entropy of the data (nats) | {summary.get("unigram_entropy", float("nan")):.4f} |

{ORDER_HEADS[shape.architecture]}: 0 in order, 1 swapped.

| licence of the training text | documents |
|---|---|
{rows}

<details><summary>Training configuration</summary>

```json
{json.dumps({"seed": config.seed, "training": config.training.__dict__, "data": config.data.__dict__}, indent=1)}
```
</details>
"""


def _described(config: Config) -> str:
    shape = config.model
    kind = CLASSES[shape.architecture]
    shared = " that share their weights" if shape.share_layers else ""
    return f"`{kind}` with {shape.layers} layers{shared} of width {shape.hidden}, {shape.heads} heads"
