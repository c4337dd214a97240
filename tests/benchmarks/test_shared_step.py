"""A step that a crew divides is torch's clipping and torch's step."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from korbert.benchmarks.crew import Crew
from korbert.benchmarks.shared_step import begin, clipped_step, shares


def optimizer(model: nn.Module) -> torch.optim.AdamW:
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups: list[dict[str, Any]] = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "lr": 0.03}]
    return torch.optim.AdamW(groups, lr=0.01, eps=1e-8, fused=True)


def backward(model: nn.Module, size: float) -> None:
    generator = torch.Generator().manual_seed(int(size * 100))
    model.zero_grad()
    (model(torch.randn(8, 20, generator=generator)).square().sum() * size).backward()


@pytest.mark.parametrize("size", [1, 2, 3])
def test_weights_and_states_are_those_of_torchs_own_step(size: int) -> None:
    torch.manual_seed(1)
    ours = nn.Sequential(nn.Linear(20, 30), nn.Tanh(), nn.Linear(30, 4))
    theirs = copy.deepcopy(ours)
    mine, plain = optimizer(ours), optimizer(theirs)
    begin(mine)
    norms = []
    with Crew(size) as crew:
        divided = shares(mine, size)
        for scale in (0.01, 5.0, 0.3):
            backward(ours, scale)
            clipped_step(mine, divided, crew, 1.0)
            backward(theirs, scale)
            norms.append(float(clip_grad_norm_(theirs.parameters(), 1.0)))
            plain.step()
    assert min(norms) < 1 < max(norms)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    states = [found.state_dict()["state"] for found in (mine, plain)]
    assert states[0].keys() == states[1].keys()
    for number, state in states[1].items():
        assert state.keys() == states[0][number].keys()
        for name, value in state.items():
            torch.testing.assert_close(states[0][number][name], value, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_shares_hold_each_parameter_once_in_its_group(count: int) -> None:
    found = optimizer(nn.Sequential(nn.Linear(20, 30), nn.Linear(30, 4)))
    divided = shares(found, count)
    assert len(divided) == min(count, 4)
    assert all(group["params"] for share in divided for group in found.param_groups)
    members = [id(p) for share in divided for _, parameters in share for p in parameters]
    assert sorted(members) == sorted(id(p) for group in found.param_groups for p in group["params"])
    for share in divided:
        for group, parameters in share:
            assert all(any(p is own for own in group["params"]) for p in parameters)


def test_a_state_that_is_there_is_kept() -> None:
    model = nn.Linear(20, 4)
    found = optimizer(model)
    backward(model, 1.0)
    found.step()
    before = copy.deepcopy(found.state_dict()["state"])
    begin(found)
    after = found.state_dict()["state"]
    assert all(torch.equal(value, after[n][name]) for n, state in before.items() for name, value in state.items())
