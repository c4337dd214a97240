"""Every architecture's classifiers drop what they are told to drop: their active dropout modules are counted."""

from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import (
    AlbertConfig,
    AutoModelForMaskedLM,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    GPT2Config,
    ModernBertConfig,
    PretrainedConfig,
    RobertaConfig,
)
from transformers.models.modernbert.modeling_modernbert import ModernBertAttention

from korbert.benchmarks.classifier import load_classifier
from korbert.benchmarks.dropout import dropout_fields
from korbert.errors import UsageError

LAYERS = 2
SIZE = {
    "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": LAYERS, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 32, "pad_token_id": 0,
}  # fmt: skip
IDS = {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
CONFIGS: dict[str, PretrainedConfig] = {
    "bert": BertConfig(**SIZE),
    "roberta": RobertaConfig(**SIZE),
    "electra": ElectraConfig(**SIZE, embedding_size=16),
    "albert": AlbertConfig(**SIZE, embedding_size=16, num_hidden_groups=2),
    "distilbert": DistilBertConfig(
        vocab_size=40, dim=16, n_layers=LAYERS, n_heads=2, hidden_dim=32, max_position_embeddings=32
    ),
    "modernbert": ModernBertConfig(**SIZE, **IDS),
    "deberta-v2": DebertaV2Config(**SIZE),
}
# Dropouts over hidden states: the embeddings', two a layer (DistilBERT: one, its attention output has none), the heads'
# (RoBERTa and ELECTRA drop before and after the dense layer of their sentence head, DeBERTa in pooler and classifier).
EXPECTED = {
    "bert": {"sentence": 1 + 2 * LAYERS + 1, "words": 1 + 2 * LAYERS + 1},
    "roberta": {"sentence": 1 + 2 * LAYERS + 1, "words": 1 + 2 * LAYERS + 1},
    "electra": {"sentence": 1 + 2 * LAYERS + 1, "words": 1 + 2 * LAYERS + 1},
    "albert": {"sentence": 1 + 2 * LAYERS + 1, "words": 1 + 2 * LAYERS + 1},
    "distilbert": {"sentence": 1 + LAYERS + 1, "words": 1 + LAYERS + 1},
    "modernbert": {"sentence": 1 + 2 * LAYERS + 1, "words": 1 + 2 * LAYERS + 1},
    "deberta-v2": {"sentence": 1 + 2 * LAYERS + 2, "words": 1 + 2 * LAYERS + 1},
}
LABELS = ("no", "yes")


@pytest.fixture
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    torch.manual_seed(1)
    AutoModelForMaskedLM.from_config(CONFIGS[request.param]).save_pretrained(tmp_path)
    return tmp_path


def active(model: nn.Module) -> list[float]:
    """The rates above 0 of all dropout modules."""
    return [module.p for module in model.modules() if isinstance(module, nn.Dropout) and module.p > 0]


@pytest.mark.parametrize("head", ["sentence", "words"])
@pytest.mark.parametrize("encoder", CONFIGS, indirect=True)
def test_each_class_drops_embeddings_sublayers_and_head_and_no_attention_weight(
    encoder: Path, head: str, request: pytest.FixtureRequest
) -> None:
    model = load_classifier(encoder, LABELS, 0.25, 1, head)
    kind = model.config.model_type
    assert active(model) == [0.25] * EXPECTED[kind][head]
    assert not any(m.attention_dropout for m in model.modules() if isinstance(m, ModernBertAttention))


@pytest.mark.parametrize("head", ["sentence", "words"])
@pytest.mark.parametrize("encoder", CONFIGS, indirect=True)
def test_at_0_no_class_drops_anything(encoder: Path, head: str) -> None:
    model = load_classifier(encoder, LABELS, 0.0, 1, head)
    assert active(model) == []
    tokens = torch.randint(5, 40, (3, 9), generator=torch.Generator().manual_seed(1))
    one, other = (model(input_ids=tokens).logits for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.parametrize("encoder", CONFIGS, indirect=True)
def test_what_is_dropped_changes_the_answers(encoder: Path) -> None:
    model = load_classifier(encoder, LABELS, 0.25, 1)
    tokens = torch.randint(5, 40, (3, 9), generator=torch.Generator().manual_seed(1))
    assert not torch.equal(model(input_ids=tokens).logits, model(input_ids=tokens).logits)


@pytest.mark.parametrize("kind", CONFIGS)
def test_only_fields_of_the_class_are_set(kind: str) -> None:
    known = CONFIGS[kind].to_dict()
    assert dropout_fields(CONFIGS[kind], 0.1).keys() <= known.keys()


def test_a_class_without_known_fields_is_refused_unless_nothing_is_dropped() -> None:
    strange = GPT2Config()
    with pytest.raises(UsageError, match=r"finetune.dropout = 0.1: the encoder is a gpt2, .* set finetune.dropout=0"):
        dropout_fields(strange, 0.1)
    assert dropout_fields(strange, 0.0) == {}
