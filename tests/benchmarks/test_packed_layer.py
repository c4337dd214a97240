"""A layer without padding is transformers' layer, forwards and backwards, with and without dropout."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertLayer

from korbert.benchmarks.packed_layer import Group, Weights, first_tokens, whole

WIDTH, HEADS = 32, 4
SHAPE = {"hidden_size": WIDTH, "num_attention_heads": HEADS, "intermediate_size": 48, "attn_implementation": "sdpa",
         "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}  # fmt: skip
GROUPS = [Group(2, 3), Group(1, 5), Group(3, 7)]
TOKENS, ROWS = 2 * 3 + 5 + 3 * 7, 6


class Fixed(nn.Module):
    """Dropout that has been drawn: for each row in turn."""

    def __init__(self, masks: Sequence[Tensor]) -> None:
        super().__init__()
        self.masks = list(masks)

    def forward(self, states: Tensor) -> Tensor:
        return states * self.masks.pop(0)


@pytest.fixture
def layer() -> BertLayer:
    torch.manual_seed(1)
    made = BertLayer(BertConfig(**SHAPE))
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3)
    return made


@pytest.fixture
def hidden() -> Tensor:
    return torch.randn(TOKENS, WIDTH, generator=torch.Generator().manual_seed(2)).requires_grad_()


def masks(count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [(torch.rand(count, WIDTH, generator=generator) > 0.3) / 0.7 for _ in range(2)]


def singly(layer: BertLayer, hidden: Tensor) -> list[Tensor]:
    """transformers' layer, a row at a time: (length, width) each."""
    lengths = [group.length for group in GROUPS for _ in range(group.rows)]
    found = (layer(row[None]) for row in hidden.split(lengths))
    return [(answer[0] if isinstance(answer, tuple) else answer)[0] for answer in found]


def assert_same(layer: BertLayer, hidden: Tensor, one: Tensor, other: Tensor) -> None:
    """In answers and in the gradients of their squares' sum, within 1e-5 of the largest."""
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    inputs = [hidden, *layer.parameters()]
    gradients = [torch.autograd.grad(y.square().sum(), inputs, materialize_grads=True) for y in (one, other)]
    for first, second in zip(*gradients, strict=True):
        largest = max(float(first.abs().max()), 1.0)
        torch.testing.assert_close(first / largest, second / largest, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dropped", [False, True])
def test_a_whole_layer_is_transformers_layer_on_each_row_alone(layer: BertLayer, hidden: Tensor, dropped: bool) -> None:
    drops = masks(TOKENS) if dropped else None
    packed = whole(hidden, Weights.of(layer), GROUPS, HEADS, 1e-12, drops)
    if drops:
        lengths = [group.length for group in GROUPS for _ in range(group.rows)]
        layer.attention.output.dropout, layer.output.dropout = (Fixed(mask.split(lengths)) for mask in drops)
    assert_same(layer, hidden, packed, torch.cat(singly(layer, hidden)))


@pytest.mark.parametrize("dropped", [False, True])
def test_a_layer_for_first_tokens_is_the_whole_layers_first_tokens(
    layer: BertLayer, hidden: Tensor, dropped: bool
) -> None:
    drops = masks(ROWS) if dropped else None
    packed = first_tokens(hidden, Weights.of(layer), GROUPS, HEADS, 1e-12, drops)
    if drops:
        layer.attention.output.dropout, layer.output.dropout = (Fixed(mask.split(1)) for mask in drops)
    assert_same(layer, hidden, packed, torch.stack([row[0] for row in singly(layer, hidden)]))
