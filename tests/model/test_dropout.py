"""Dropout by cheap draws: its share, its mean, its gradient, its seed."""

import pytest
import torch

from korbert.model.dropout import Dropout


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_the_share_that_is_dropped_is_the_probability_and_the_mean_stays(probability: float) -> None:
    torch.manual_seed(0)
    output = Dropout(probability)(torch.ones(1000, 401))
    # 401,000 draws: their share's standard deviation is at most 0.0008.
    assert float((output == 0).float().mean()) == pytest.approx(probability, abs=0.004)
    assert float(output.mean()) == pytest.approx(1.0, abs=0.05)
    assert float(output.max()) == pytest.approx(1 / (1 - probability), rel=1e-3)


def test_neighbouring_numbers_are_dropped_independently() -> None:
    """Four of them come from one draw."""
    torch.manual_seed(1)
    dropped = (Dropout(0.5)(torch.ones(400_000)) == 0).view(-1, 4).float()
    assert torch.corrcoef(dropped.T).fill_diagonal_(0).abs().max() < 0.02
    assert (dropped.mean(0) - 0.5).abs().max() < 0.01


def test_the_gradient_passes_where_the_number_did() -> None:
    values = torch.ones(7, 13, requires_grad=True)
    output = Dropout(0.3)(values)
    output.sum().backward()
    assert torch.equal(values.grad, output.detach())


def test_the_same_seed_drops_the_same_on_any_number_of_threads() -> None:
    threads = torch.get_num_threads()
    outputs = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            torch.manual_seed(5)
            outputs.append(Dropout(0.2)(torch.ones(300, 257)))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*outputs)


@pytest.mark.parametrize("layer", [Dropout(0.5).eval(), Dropout(0.0)], ids=["evaluating", "none"])
def test_nothing_is_dropped_when_not_training_or_at_0(layer: Dropout) -> None:
    values = torch.randn(50)
    assert layer(values) is values
