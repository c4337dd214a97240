"""A model goes through Ray's object store and comes back equal, trainable, and without a content stored twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from korbert.benchmarks.classifier import load_classifier
from tune.session import Cluster, session
from tune.weights import Shelf, built

LABELS = ("negative", "positive")


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[None]:
    with session(Cluster(), cpus=1, gpus=0, data_bytes=1 << 20):
        yield


def test_a_model_comes_back_as_it_was_loaded_and_learns(encoder: Path) -> None:
    model = load_classifier(encoder, LABELS, 0.1, 1)
    made = built(Shelf().put(model))
    assert made.training
    assert dict(made.named_buffers()).keys() == dict(model.named_buffers()).keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(made.state_dict()[name], tensor)
    ids = torch.tensor([[2, 5, 6, 3]])
    # Equal weights elsewhere in memory: the products may be summed in another order.
    torch.testing.assert_close(made.eval()(input_ids=ids).logits, model.eval()(input_ids=ids).logits)
    made(input_ids=ids).logits.sum().backward()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.sub_(1.0)


def test_training_a_built_model_leaves_the_stored_one(encoder: Path) -> None:
    model = load_classifier(encoder, LABELS, 0.1, 1)
    shared = Shelf().put(model)
    with torch.no_grad():
        for parameter in built(shared).parameters():
            parameter.zero_()
    again = built(shared).state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in model.state_dict().items())


def test_seeds_and_dropouts_of_one_encoder_share_its_weights(encoder: Path) -> None:
    shelf = Shelf()
    shelf.put(load_classifier(encoder, LABELS, 0.1, 1))
    first = shelf.nbytes
    shelf.put(load_classifier(encoder, LABELS, 0.0, 1))
    assert shelf.nbytes == first  # another dropout: no other tensor
    other = built(shelf.put(load_classifier(encoder, LABELS, 0.0, 2)))
    assert 0 < shelf.nbytes - first < first / 5  # another seed: another head (and pooler) alone
    assert other.config.hidden_dropout_prob == 0.0
