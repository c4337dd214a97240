"""Which layer of an encoder each parameter belongs to, and AdamW's groups with a learning rate a layer.

Layer-wise decay as in ULMFiT (Howard and Ruder 2018, 3.2) and ELECTRA (Clark et al. 2020, table 7: 0.8 and 0.9): the
head learns at the full rate, each layer below it at the next higher one's times the decay, the embeddings slowest.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch.nn import ModuleList
from transformers import PreTrainedModel

from korbert.errors import UsageError


def parameter_groups(model: PreTrainedModel, weight_decay: float, layer_decay: float = 1.0) -> list[dict[str, Any]]:
    """AdamW's parameter groups: matrices decay; biases and norms, which have one dimension, do not.

    A group's "scale" is what its learning rate is multiplied by.

    Raises:
        UsageError: when `layer_decay` is not 1 and the model has no layers to tell apart.
    """
    heights = defaultdict(int) if layer_decay == 1 else heights_below_head(model)
    groups: dict[tuple[int, bool], list[torch.nn.Parameter]] = {}
    for matrices in (True, False):
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and (parameter.dim() > 1) == matrices:
                groups.setdefault((heights[name], matrices), []).append(parameter)
    return [
        {"params": members, "weight_decay": weight_decay if matrices else 0.0, "scale": layer_decay**height}
        for (height, matrices), members in groups.items()
    ]


def heights_below_head(model: PreTrainedModel) -> dict[str, int]:
    """By parameter: 0 for the head and what lies on the last layer, 1 for the last layer, layers + 1 for embeddings.

    The layers are the longest list of modules in the encoder (of equal ones the first), whatever its name:
    `encoder.layer` (BERT, ELECTRA, RoBERTa), `transformer.layer` (DistilBERT), `layers` (ModernBERT); ALBERT's layers
    share their weights, so it has as many as it has groups.

    Raises:
        UsageError: when the encoder has no list of modules.
    """
    encoder = model.base_model
    lists = [(name, module) for name, module in encoder.named_modules() if isinstance(module, ModuleList)]
    if not lists:
        raise UsageError(
            f"finetune.layer_decay: {type(model).__name__} has no list of layers to tell apart; choose layer_decay = 1"
        )
    place, layers = max(lists, key=lambda found: len(found[1]))
    inside = "" if encoder is model else f"{model.base_model_prefix}."
    prefix = f"{inside}{place}."
    return {name: _height(name, inside, prefix, len(layers)) for name, _ in model.named_parameters()}


def _height(name: str, inside: str, layer_prefix: str, layers: int) -> int:
    if name.startswith(layer_prefix):
        return layers - int(name.removeprefix(layer_prefix).partition(".")[0])
    return layers + 1 if name.startswith(inside) and "embed" in name else 0
