"""Dropout while fine-tuning, by the fields that each architecture of transformers has for it.

A field that a config's class does not know is taken without a word and changes nothing, so only those it has are set.
Attention weights have none: with it and a mask, scaled dot product attention has no fast path on a CPU.
"""

from __future__ import annotations

from transformers import PretrainedConfig, PreTrainedModel
from transformers.models.modernbert.modeling_modernbert import ModernBertAttention

from korbert.errors import UsageError

HIDDEN = (
    "hidden_dropout_prob",  # BERT, RoBERTa, ELECTRA, ALBERT, DeBERTa
    "classifier_dropout",  # BERT, RoBERTa, ELECTRA, ModernBERT; None there: as the hidden states
    "classifier_dropout_prob",  # ALBERT
    "pooler_dropout",  # DeBERTa
    "cls_dropout",
    "dropout",  # DistilBERT
    "seq_classif_dropout",
    "embedding_dropout",  # ModernBERT
    "mlp_dropout",
)
"""Fields for embeddings, sublayer outputs and heads."""
WEIGHTS = ("attention_probs_dropout_prob", "attention_dropout")
"""Fields for attention weights; DistilBERT has the second, ModernBERT has it for attention's output too."""


def dropout_fields(config: PretrainedConfig, rate: float) -> dict[str, float]:
    """What to change in an encoder's config so that `rate` acts on embeddings, sublayer outputs and the head.

    Raises:
        UsageError: for a class with none of the fields, unless the rate is 0.
    """
    fields = {name: rate for name in HIDDEN if hasattr(config, name)}
    if rate and not fields:
        raise UsageError(
            f"finetune.dropout = {rate}: the encoder is a {config.model_type}, whose dropout has no field that is "
            "known here; set finetune.dropout=0"
        )
    fields |= {name: 0.0 for name in WEIGHTS if hasattr(config, name)}
    if config.model_type == "modernbert":
        fields["attention_dropout"] = rate
    return fields


def without_weight_dropout(model: PreTrainedModel) -> PreTrainedModel:
    """Takes ModernBERT's dropout off the attention weights, where one field stands for them and attention's output."""
    for module in model.modules():
        if isinstance(module, ModernBertAttention):
            module.attention_dropout = 0.0
    return model
