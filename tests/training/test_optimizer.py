"""AdamW's groups, and its state by name."""

import torch

from korbert.config import ModelConfig, TrainingConfig
from korbert.model.bert import BertForPretraining
from korbert.training.optimizer import adamw, restore, state_tensors

SHAPE = ModelConfig(layers=1, hidden=16, heads=2, intermediate=32, max_positions=16, dropout=0.0)


def _model() -> BertForPretraining:
    torch.manual_seed(1)
    return BertForPretraining(SHAPE, 50)


def _step(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    for number, parameter in enumerate(model.parameters()):
        parameter.grad = torch.full_like(parameter, 0.01 * (number + 1))
    optimizer.step()


def test_matrices_decay_and_biases_and_norms_do_not() -> None:
    model = _model()
    groups = adamw(model, TrainingConfig(weight_decay=0.3), torch.device("cpu")).param_groups
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert len(decays) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        flat = name.endswith("bias") or "norm" in name
        assert decays[id(parameter)] == (0.0 if flat else 0.3), name


def test_a_restored_optimiser_makes_the_same_steps_bit_for_bit() -> None:
    first, second = _model(), _model()
    one, other = (adamw(model, TrainingConfig(), torch.device("cpu")) for model in (first, second))
    for _ in range(3):
        _step(first, one)
    second.load_state_dict(first.state_dict())
    restore(second, other, state_tensors(first, one))
    for _ in range(2):
        _step(first, one)
        _step(second, other)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_before_the_first_step_there_is_no_state() -> None:
    model = _model()
    optimizer = adamw(model, TrainingConfig(), torch.device("cpu"))
    assert state_tensors(model, optimizer) == {}
    restore(model, optimizer, {})
    assert not optimizer.state
