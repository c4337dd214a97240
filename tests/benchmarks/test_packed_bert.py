"""A packed classifier's scores and gradients are the plain one's, in any company, order and number of parts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, ElectraConfig, ElectraForSequenceClassification

from korbert.benchmarks.batches import EncodedRows
from korbert.benchmarks.classifier import load_classifier, logits
from korbert.benchmarks.crew import Crew
from korbert.benchmarks.packed_bert import LEVELS, PackedBert, can_pack, draws, packed_parts
from korbert.benchmarks.sequences import SequenceRows
from korbert.tasks.nsmc import LABELS

SHAPE: dict[str, Any] = {
    "vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 32, "attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0,
    "initializer_range": 0.2,
}  # fmt: skip
LENGTHS = {"mixed": (9, 3, 3, 17, 4, 9, 2, 30), "alike": (6, 6, 6, 6), "one": (11,)}


def model(**changes: Any) -> BertForSequenceClassification:
    torch.manual_seed(1)
    return BertForSequenceClassification(BertConfig(**SHAPE | changes))


def rows_of(lengths: tuple[int, ...], pairs: bool = False) -> EncodedRows:
    """Random tokens, the padding's own among them."""
    generator = np.random.default_rng(0)
    tokens = generator.integers(0, 60, sum(lengths)).astype(np.int32)
    ends, labels = np.cumsum(lengths), np.arange(len(lengths)) % 2
    begins = ends - (ends - np.asarray(lengths)) - (1 if pairs else 0)
    return SequenceRows(tokens, ends, labels, begins)


def gradients(of: BertForSequenceClassification) -> dict[str, torch.Tensor]:
    return {name: value.grad.clone() for name, value in of.named_parameters() if value.grad is not None}


def assert_same_gradients(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, gradient in one.items():
        torch.testing.assert_close(gradient, other[name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("pairs", [False, True])
def test_scores_and_gradients_are_the_plain_models(lengths: tuple[int, ...], size: int, pairs: bool) -> None:
    plain, rows, numbers = model(), rows_of(lengths, pairs), np.arange(len(lengths))[::-1].copy()
    found = []
    with Crew(size) as crew:
        packed = PackedBert(plain, crew)
        for scores in (logits(plain, rows, numbers, 0), packed.scores(rows, numbers)):
            plain.zero_grad()
            rows.loss(scores, rows.targets(numbers), None).backward()
            found.append((scores.detach(), gradients(plain)))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-5, atol=1e-5)
    assert_same_gradients(found[0][1], found[1][1])
    assert len(found[1][1]) == len(list(plain.parameters()))


def test_gradients_of_a_step_hold_nothing_of_the_step_before() -> None:
    plain, rows = model(), rows_of(LENGTHS["mixed"])
    with Crew(2) as crew:
        packed = PackedBert(plain, crew)
        for numbers in (np.array([0, 1]), np.array([2, 3]), np.array([4, 5])):
            plain.zero_grad()
            # Twice: the step before may have had several batches.
            for _ in range(2):
                packed.scores(rows, numbers).square().sum().backward()
    found = {name: value / 2 for name, value in gradients(plain).items()}
    plain.zero_grad()
    logits(plain, rows, np.array([4, 5]), 0).square().sum().backward()
    assert_same_gradients(gradients(plain), found)


def test_gradients_of_two_batches_add_up() -> None:
    plain, rows = model(), rows_of(LENGTHS["mixed"])
    batches = (np.array([0, 1, 2, 3]), np.array([4, 5]))
    with Crew(2) as crew:
        packed = PackedBert(plain, crew)
        for numbers in batches:
            packed.scores(rows, numbers).square().sum().backward()
    found = gradients(plain)
    plain.zero_grad()
    for numbers in batches:
        logits(plain, rows, numbers, 0).square().sum().backward()
    assert_same_gradients(gradients(plain), found)


def test_a_row_scores_alone_as_in_company() -> None:
    plain, rows = model(), rows_of(LENGTHS["mixed"])
    with Crew(2) as crew, torch.no_grad():
        packed = PackedBert(plain, crew)
        together = packed.scores(rows, np.arange(len(rows)))
        alone = torch.cat([packed.scores(rows, np.array([number])) for number in range(len(rows))])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_dropout_changes_scores_with_the_seed_and_not_with_the_number_of_parts() -> None:
    plain, rows = model(hidden_dropout_prob=0.3).train(), rows_of(LENGTHS["mixed"])

    def drawn(seed: int, size: int) -> torch.Tensor:
        torch.manual_seed(seed)
        with Crew(size) as crew, torch.no_grad():
            return PackedBert(plain, crew).scores(rows, np.arange(len(rows)))

    torch.testing.assert_close(drawn(1, 1), drawn(1, 3), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(drawn(1, 1), drawn(2, 1), atol=1e-2)
    plain.train(False)
    assert torch.equal(drawn(1, 1), drawn(2, 1))


@pytest.mark.parametrize("probability", [0.1, 0.5])
def test_dropout_keeps_its_share_and_the_mean(probability: float) -> None:
    (part,) = packed_parts(rows_of((40,) * 25), np.arange(25), 1, typed=False)
    masks = draws(part, 1000, 3, 32, probability, seed=5)
    assert [tuple(mask.shape) for mask in masks] == [(1000, 32)] * 5 + [(25, 32)] * 2
    exact = round(probability * LEVELS) / LEVELS
    for mask in masks[:5]:
        assert mask.unique().tolist() == [0.0, pytest.approx(1 / (1 - exact))]
        # Five standard deviations of 32,000 draws.
        spread = 5 * (exact * (1 - exact) / mask.numel()) ** 0.5
        assert float((mask == 0).float().mean()) == pytest.approx(exact, abs=spread)
    assert len({tuple(mask.flatten().tolist()) for mask in masks}) == len(masks)


@pytest.mark.parametrize("most", [1, 2, 3, 50])
def test_parts_hold_each_row_once_and_like_many_tokens(most: int) -> None:
    lengths = np.sort(np.random.default_rng(0).integers(2, 60, 40))
    rows = rows_of(tuple(lengths))
    parts = packed_parts(rows, np.arange(40), most, typed=False)
    assert 1 <= len(parts) <= most
    assert torch.cat([part.tokens for part in parts]).tolist() == rows.tokens.tolist()
    assert [g.length for part in parts for g in part.groups for _ in range(g.rows)] == lengths.tolist()
    if most <= 3:
        assert max(len(part.tokens) for part in parts) - min(len(part.tokens) for part in parts) <= 2 * 60
    for part in parts:
        assert part.positions.tolist() == [n for g in part.groups for _ in range(g.rows) for n in range(g.length)]


def test_a_loaded_bert_can_be_packed(encoder: Path) -> None:
    assert can_pack(load_classifier(encoder, LABELS, 0.1, 1))


def test_what_the_packed_one_does_not_compute_is_left_to_the_plain_one(encoder: Path) -> None:
    assert not can_pack(load_classifier(encoder, LABELS, 0.1, 1, "words"))
    assert not can_pack(ElectraForSequenceClassification(ElectraConfig(**SHAPE)))
    assert not can_pack(model(hidden_act="relu"))
    assert not can_pack(model(attention_probs_dropout_prob=0.1))
    assert not can_pack(model().double())
    frozen = model()
    frozen.bert.embeddings.requires_grad_(False)
    assert not can_pack(frozen)
