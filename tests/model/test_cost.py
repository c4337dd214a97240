"""Parameters and FLOPs: by formula, beside what the models hold and what torch counts."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from korbert.config import ModelConfig
from korbert.model.build import build
from korbert.model.cost import flops, flops_a_token, parameters
from korbert.model.layout import Inputs, Layout
from korbert.model.pretraining import Pretraining
from korbert.sizes import SIZES

BASE = ModelConfig.of_size("base")


@pytest.mark.parametrize("size", SIZES)
def test_the_formula_counts_the_parameters_of_every_published_size(size: str) -> None:
    shape = ModelConfig.of_size(size)
    with torch.device("meta"):
        model = build(shape, 32_000)
    assert parameters(shape, 32_000) == sum(parameter.numel() for parameter in model.parameters())


def test_the_formula_counts_the_parameters_of_every_architecture(anything: Pretraining, shape: ModelConfig) -> None:
    assert parameters(shape, 50) == sum(parameter.numel() for parameter in anything.parameters())


def test_bert_base_of_32k_tokens_has_111_2_million_parameters() -> None:
    assert parameters(BASE, 32_000) == 111_243_010


@pytest.mark.parametrize(
    ("length", "rate", "giga"), [(128, 0.15, 0.516), (512, 0.15, 0.555), (512, 0.30, 0.584), (512, 1.0, 0.717)]
)
def test_a_token_of_bert_base_costs_what_was_worked_out_by_hand(length: int, rate: float, giga: float) -> None:
    assert flops_a_token(BASE, 32_000, length, rate) / 1e9 == pytest.approx(giga, abs=6e-4)


def test_torch_counts_the_same_operations(anything: Pretraining, inputs: Inputs, shape: ModelConfig) -> None:
    """Forward, one sample after another; torch counts a windowed attention as a whole one. Backward is twice that by
    the convention, while torch leaves out the gradients of what needs none."""
    # Its counter does not know the CPU's fused attention: it is told what that costs, as of the GPU's.
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    known = {kernel: lambda q, k, v, **_: sdpa_flop_count(q, k, v)}
    # Where attention is not called by that name, it is written out as two plain products.
    with FlopCounterMode(display=False, custom_mapping=known) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        anything(*inputs)
    whole = ModelConfig(**{**shape.__dict__, "local_attention": 0})
    assert not isinstance(inputs.lengths, Layout)
    masked = [len(part) for part in torch.tensor_split(inputs.masked, _borders(inputs))]
    assert flops(whole, 50, inputs.lengths, masked) == 3 * counter.get_total_flops()


def _borders(inputs: Inputs) -> list[int]:
    ends = torch.tensor(inputs.lengths).cumsum(0)[:-1]
    return [int(place) for place in torch.searchsorted(inputs.masked, ends)]


@pytest.mark.parametrize(("length", "half"), [(9, 2), (3, 2), (2, 2), (1, 2), (40, 16)])
def test_a_window_costs_the_pairs_it_sees(length: int, half: int) -> None:
    local = {"architecture": "modern", "local_attention": 2 * half, "global_every": 2}
    windowed, whole = ModelConfig(layers=3, **local), ModelConfig(layers=3, architecture="modern")
    seen = sum(abs(i - j) <= half for i in range(length) for j in range(length))
    spared = flops(whole, 100, [length], [0]) - flops(windowed, 100, [length], [0])
    assert spared == 3 * 2 * 2 * 768 * (length**2 - seen)


def test_samples_cost_as_much_together_as_alone(shape: ModelConfig) -> None:
    both = flops(shape, 50, [7], [5]) + flops(shape, 50, [12, 3], [0, 1])
    assert flops(shape, 50, [7, 12, 3], [5, 0, 1]) == both
