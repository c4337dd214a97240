"""The estimate of memory beside what torch really holds."""

from dataclasses import replace

import pytest
import torch

from korbert import recipes
from korbert.config import Config, ModelConfig, overridden
from korbert.model.build import build
from korbert.training import optimizer
from korbert.training.memory import activations_a_token, needed

VOCAB = 500
SHAPE = ModelConfig(layers=3, hidden=64, heads=4, intermediate=256, max_positions=128, dropout=0.0)


def _config(*assignments: str, **shape: object) -> Config:
    base = overridden(recipes.tiny(), ["training.rows_per_micro_batch=4", *assignments])
    return replace(base, model=replace(SHAPE, **shape))  # type: ignore[arg-type]


def _inputs(rows: int, length: int) -> tuple[object, ...]:
    tokens = torch.randint(5, VOCAB, (rows * length,))
    masked = torch.arange(0, len(tokens), 7)
    order = torch.zeros(rows, dtype=torch.long)
    return (
        tokens,
        torch.arange(length).repeat(rows),
        torch.zeros_like(tokens),
        [length] * rows,
        masked,
        tokens[masked],
        order,
    )


@pytest.mark.parametrize("name", ["adamw", "lamb", "muon"])
def test_weights_gradients_and_optimiser_are_what_torch_holds(name: str) -> None:
    config = _config(f"training.optimizer={name}")
    model = build(config.model, VOCAB)
    made = optimizer.build(model, config.training, torch.device("cpu"))
    losses = model(*_inputs(2, 16))
    (losses.mlm + losses.sop).backward()
    made.step(1e-3)
    # A gradient is as large as its weight; the optimiser has let go of it by now.
    held = [*model.parameters(), *model.parameters(), *made.state().values()]
    real = sum(tensor.numel() * tensor.element_size() for tensor in held)
    found = needed(config, VOCAB).state
    # Muon's embeddings and heads have AdamW's two moments, which a lower bound leaves out.
    assert found <= real * 1.02
    assert found > real * 0.8


@pytest.mark.parametrize("architecture", ["bert", "albert", "modern"])
def test_activations_are_of_the_size_that_the_backward_pass_keeps(architecture: str) -> None:
    config = _config(architecture=architecture)
    model, kept = build(config.model, VOCAB), {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # held, so that no address comes twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        losses = model(*_inputs(4, 128))
        total = losses.mlm + losses.sop
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    real = sum(size for place, (size, _) in kept.items() if place not in weights)
    assert total.requires_grad
    assert needed(config, VOCAB).activations == pytest.approx(real, rel=0.5)


def test_the_moving_average_a_gate_dropout_and_bf16_count() -> None:
    plain = needed(_config(), VOCAB)
    assert needed(_config("training.ema=0.9"), VOCAB).state == plain.state / 16 * 20
    assert activations_a_token(SHAPE, 4) == 4 * (8 * 64 + 2 * 256)
    assert activations_a_token(replace(SHAPE, dropout=0.1), 4) == 4 * (8 * 64 + 2 * 256) + 128
    assert activations_a_token(replace(SHAPE, architecture="modern"), 4) == 4 * (8 * 64 + 3 * 256)
    assert needed(_config("training.precision=bf16"), VOCAB).activations < plain.activations
