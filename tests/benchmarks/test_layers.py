"""The layers of any encoder are told apart, and each learns at a rate of its own."""

import pytest
from transformers import (
    AlbertConfig,
    AlbertForSequenceClassification,
    BertConfig,
    BertForTokenClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from korbert.benchmarks.layers import heights_below_head, parameter_groups

SMALL = {"vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}
MODELS = {
    "bert": lambda: BertForTokenClassification(BertConfig(**SMALL)),
    "electra": lambda: ElectraForSequenceClassification(ElectraConfig(**SMALL, embedding_size=4)),
    "roberta": lambda: RobertaForSequenceClassification(RobertaConfig(**SMALL)),
    "modernbert": lambda: ModernBertForSequenceClassification(
        ModernBertConfig(**SMALL, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)
    ),
    "distilbert": lambda: DistilBertForSequenceClassification(
        DistilBertConfig(vocab_size=50, dim=8, n_layers=3, n_heads=2, hidden_dim=16)
    ),
}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_each_layer_has_a_height_from_the_head_down_to_the_embeddings(name: str) -> None:
    model: PreTrainedModel = MODELS[name]()
    heights = heights_below_head(model)
    assert heights.keys() == {parameter for parameter, _ in model.named_parameters()}
    assert set(heights.values()) == {0, 1, 2, 3, 4}
    for parameter, height in heights.items():
        if "embed" in parameter:
            assert height == 4, parameter
        for layer in range(3):
            if f"layer.{layer}." in parameter or f"layers.{layer}." in parameter:
                assert height == 3 - layer, parameter
        if "classifier" in parameter or "pooler" in parameter:
            assert height == 0, parameter


def test_layers_that_share_their_weights_are_one() -> None:
    model = AlbertForSequenceClassification(AlbertConfig(**SMALL, embedding_size=4))
    heights = heights_below_head(model)
    assert {heights[name] for name in heights if "albert_layers" in name} == {1}
    assert heights["albert.embeddings.word_embeddings.weight"] == 2
    assert heights["classifier.weight"] == 0


def test_groups_hold_every_parameter_once_at_its_layer_s_rate() -> None:
    model = MODELS["bert"]()
    groups = parameter_groups(model, 0.01, 0.5)
    members = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(members) == sorted(id(parameter) for parameter in model.parameters())
    heights, names = heights_below_head(model), {id(p): name for name, p in model.named_parameters()}
    for group in groups:
        for parameter in group["params"]:
            assert group["scale"] == 0.5 ** heights[names[id(parameter)]]
            assert group["weight_decay"] == (0.01 if parameter.dim() > 1 else 0.0)


def test_without_decay_there_are_two_groups_at_the_full_rate() -> None:
    groups = parameter_groups(MODELS["electra"](), 0.01)
    assert [(group["scale"], group["weight_decay"]) for group in groups] == [(1.0, 0.01), (1.0, 0.0)]
