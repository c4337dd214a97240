"""Filled micro-batches: fixed shapes, the same losses, one compiled graph for all."""

import pytest
import torch

from korbert.model.layout import IGNORED, Budget, Inputs, filled, layout_of, wanted_of
from korbert.model.pretraining import Pretraining

# 22 real tokens of 3 samples; 18 tokens of filling make two samples of at most 13, one sample stays empty.
BUDGET = Budget(tokens=40, samples=6, masked=9, longest=13)


def gradients(model: Pretraining, batch: Inputs) -> dict[str, torch.Tensor]:
    model.zero_grad()
    losses = model(*batch)
    (losses.mlm + losses.sop).backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


def test_a_filled_micro_batch_has_the_losses_counts_and_gradients_of_the_real_one(
    anything: Pretraining, inputs: Inputs
) -> None:
    more = filled(inputs, BUDGET, pad_id=0)
    with torch.inference_mode():
        for real, fixed in zip(anything(*inputs), anything(*more), strict=True):
            torch.testing.assert_close(fixed, real, atol=1e-4, rtol=1e-5)
    fixed = gradients(anything, more)
    for name, gradient in gradients(anything, inputs).items():
        torch.testing.assert_close(fixed[name], gradient, atol=1e-4, rtol=1e-4)


def test_a_filled_micro_batch_has_the_budgets_shapes(inputs: Inputs) -> None:
    more = filled(inputs, BUDGET, pad_id=3)
    assert [len(more.tokens), len(more.positions), len(more.segments)] == [40, 40, 40]
    assert [len(more.masked), len(more.labels), len(more.swapped)] == [9, 9, 6]
    assert more.lengths.bounds.tolist() == [0, 7, 19, 22, 35, 40, 40]
    assert more.tokens[22:].unique().tolist() == [3]
    assert more.positions.max() < BUDGET.longest
    assert more.labels[5:].unique().tolist() == more.swapped[3:].unique().tolist() == [IGNORED]


def test_wanted_tokens_are_sorted_by_sample_and_found_again_in_the_order_asked(inputs: Inputs) -> None:
    layout = layout_of(inputs.lengths, torch.device("cpu"))
    wanted = wanted_of(layout, torch.tensor([20, 1, 9, 0, 9]))
    assert wanted.places.tolist() == [0, 1, 9, 9, 20]
    assert wanted.places[wanted.order].tolist() == [20, 1, 9, 0, 9]
    assert (wanted.bounds.tolist(), wanted.counts) == ([0, 2, 4, 5], (2, 2, 1))
    assert wanted_of(layout._replace(lengths=None), torch.tensor([3])).counts is None


def test_the_last_layer_on_wanted_tokens_alone_gives_what_it_gives_among_all(
    anything: Pretraining, inputs: Inputs
) -> None:
    """States and, through them, the gradients of every weight."""
    layout, asked = layout_of(inputs.lengths, torch.device("cpu")), torch.tensor([20, 1, 9, 0, 7])
    found = []
    for wanted in (wanted_of(layout, asked), None):
        anything.zero_grad()
        hidden = anything.encoder(inputs.tokens, inputs.positions, inputs.segments, layout, wanted)
        states = hidden[asked] if wanted is None else hidden[wanted.order]
        states.square().sum().backward()
        gradients = {n: p.grad.clone() for n, p in anything.encoder.named_parameters() if p.grad is not None}
        found.append((states.detach(), gradients))
    torch.testing.assert_close(found[0][0], found[1][0], atol=1e-5, rtol=1e-5)
    assert found[0][1].keys() == found[1][1].keys()
    for name, gradient in found[0][1].items():
        torch.testing.assert_close(gradient, found[1][1][name], atol=1e-4, rtol=1e-4)


def test_a_micro_batch_that_fits_exactly_gets_nothing(inputs: Inputs) -> None:
    exact = filled(inputs, Budget(tokens=22, samples=3, masked=5, longest=12), pad_id=0)
    assert torch.equal(exact.tokens, inputs.tokens)
    assert torch.equal(exact.labels, inputs.labels)
    assert exact.lengths.bounds.tolist() == [0, 7, 19, 22]


@pytest.mark.parametrize("less", [{"tokens": 21}, {"samples": 4}, {"masked": 4}, {"longest": 11}])
def test_a_micro_batch_over_the_budget_is_our_own_fault(inputs: Inputs, less: dict[str, int]) -> None:
    with pytest.raises(AssertionError, match="over the budget"):
        filled(inputs, BUDGET._replace(**less), pad_id=0)


def test_one_graph_serves_filled_micro_batches_of_other_lengths(anything: Pretraining, inputs: Inputs) -> None:
    """The graph as torch.compile captures it; what runs it, eagerly or in kernels, does not matter to its shapes."""
    torch._dynamo.reset()
    shorter = Inputs(
        inputs.tokens[:7], inputs.positions[:7], inputs.segments[:7], [7],
        inputs.masked[:2], inputs.labels[:2], inputs.swapped[:1],
    )  # fmt: skip
    compiled = torch.compile(anything, backend="eager", fullgraph=True)
    compiled(*filled(inputs, BUDGET, pad_id=0))
    with torch._dynamo.config.patch(error_on_recompile=True):
        losses = compiled(*filled(shorter, BUDGET, pad_id=0))
    torch.testing.assert_close(losses.mlm, anything(*shorter).mlm, atol=1e-4, rtol=1e-5)


def test_a_layout_passes_as_it_is() -> None:
    layout = layout_of([2, 3], torch.device("cpu"))
    assert layout_of(layout, torch.device("cpu")) is layout
    assert layout.bounds.tolist() == [0, 2, 5]
    assert layout.longest == 3
