"""A fitting learns, repeats itself exactly, goes on exactly from a checkpoint, and says so when it diverges."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from korbert.benchmarks.batches import EncodedRows
from korbert.benchmarks.classifier import load_classifier
from korbert.benchmarks.fitting import Diverged, Fitting, Settings
from korbert.benchmarks.layers import parameter_groups
from korbert.benchmarks.material import read_material
from korbert.benchmarks.tokens import load_tokenizer
from korbert.tasks import nsmc
from korbert.tasks.nsmc import LABELS

SETTINGS = Settings(epochs=2, batch=16, lr=5e-3, warmup=0.1, weight_decay=0.01, dropout=0.1, seed=1)


@pytest.fixture(scope="module")
def rows(encoder: Path, toy_reviews: Path) -> EncodedRows:
    material, _ = read_material(nsmc.TASK, toy_reviews, load_tokenizer(encoder), max_tokens=32, validation=0.1)
    return material.training_rows(100, seed=1)


def fitting(encoder: Path, rows: EncodedRows, settings: Settings = SETTINGS) -> Fitting:
    return Fitting(load_classifier(encoder, LABELS, settings.dropout, settings.seed), rows, 0, settings)


def weights(of: Fitting) -> torch.Tensor:
    return torch.cat([value.flatten() for value in of.model.state_dict().values()])


def test_the_loss_falls_and_every_row_is_counted(encoder: Path, rows: EncodedRows) -> None:
    passes: list[int] = []
    learner = fitting(encoder, rows)
    epochs = [learner.epoch(number, lambda count, note: passes.append(count)) for number in (1, 2)]
    assert epochs[1].loss < epochs[0].loss
    assert sum(passes) == 3 * 2 * len(rows)
    assert [point.step for point in epochs[1].points] == list(range(8, 15))
    assert epochs[0].tokens == len(rows.tokens)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(encoder: Path, rows: EncodedRows) -> None:
    learners = [fitting(encoder, rows, replace(SETTINGS, seed=seed)) for seed in (1, 1, 2)]
    for learner in learners:
        learner.epoch(1)
    one, again, other = (weights(learner) for learner in learners)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_restored_fitting_goes_on_as_if_it_had_not_stopped(encoder: Path, rows: EncodedRows, tmp_path: Path) -> None:
    straight = fitting(encoder, rows)
    straight.epoch(1)
    torch.save(straight.state(), tmp_path / "state.pt")
    straight.epoch(2)
    restored = fitting(encoder, rows)
    restored.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    torch.manual_seed(12345)  # nothing may depend on what was drawn before
    restored.epoch(2)
    assert torch.equal(weights(straight), weights(restored))


def test_a_packed_epoch_ends_with_the_plain_epochs_weights(
    encoder: Path, rows: EncodedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, plain = (fitting(encoder, rows, replace(SETTINGS, dropout=0.0, lr=1e-3)) for _ in range(2))
    packed.epoch(1)
    monkeypatch.setattr("korbert.benchmarks.fitting.can_pack", lambda _: False)
    plain.epoch(1)
    start = weights(fitting(encoder, rows))
    assert float((weights(plain) - start).abs().max()) > 1e-3
    torch.testing.assert_close(weights(packed), weights(plain), rtol=0, atol=1e-4)


def test_two_threads_repeat_themselves_exactly_and_go_on_where_one_stopped(encoder: Path, rows: EncodedRows) -> None:
    learners = [fitting(encoder, rows) for _ in range(3)]
    for learner, threads in zip(learners, (2, 2, 1), strict=True):
        torch.set_num_threads(threads)
        learner.epoch(1)
        assert torch.get_num_threads() == threads
    two, again, one = (weights(learner) for learner in learners)
    assert torch.equal(two, again)
    torch.testing.assert_close(two, one, rtol=0, atol=1e-3)
    torch.set_num_threads(2)
    resumed = fitting(encoder, rows)
    resumed.restore(learners[2].state())
    assert np.isfinite(resumed.epoch(2).loss)


def test_an_epoch_in_parts_is_the_epoch_whatever_is_done_between_them(
    encoder: Path, rows: EncodedRows, tmp_path: Path
) -> None:
    whole = fitting(encoder, rows)
    epochs = [whole.epoch(number) for number in (1, 2)]
    parts = fitting(encoder, rows)
    first = [parts.epoch(1, part=(begin, begin + 1, 3)) for begin in range(3)]
    parts.epoch(2, part=(0, 1, 3))
    torch.save(parts.state(), tmp_path / "state.pt")
    restored = fitting(encoder, rows)
    restored.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    torch.manual_seed(12345)
    restored.epoch(2, part=(1, 3, 3))
    assert torch.equal(weights(whole), weights(restored))
    assert [point.step for epoch in first for point in epoch.points] == [point.step for point in epochs[0].points]
    assert sum(epoch.tokens for epoch in first) == epochs[0].tokens
    assert sum(epoch.loss * len(epoch.points) for epoch in first) / 7 == pytest.approx(epochs[0].loss)


def test_a_loss_that_is_no_number_names_the_learning_rate(encoder: Path, rows: EncodedRows) -> None:
    learner = fitting(encoder, rows, replace(SETTINGS, lr=1e30, warmup=0.0))
    with pytest.raises(Diverged, match=r"finetune.lr = 1e\+30: the loss is .* choose a smaller one"):
        learner.epoch(1)


def test_the_rate_rises_to_its_peak_and_falls_over_all_epochs(encoder: Path, rows: EncodedRows) -> None:
    learner = fitting(encoder, rows, replace(SETTINGS, warmup=0.25))
    rates = [point.lr for number in (1, 2) for point in learner.epoch(number).points]
    assert rates.index(max(rates)) == 3
    assert max(rates) == pytest.approx(SETTINGS.lr)
    assert rates[:4] == sorted(rates[:4])
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] == pytest.approx(SETTINGS.lr / 10)


def test_biases_and_norms_do_not_decay(encoder: Path) -> None:
    model = load_classifier(encoder, LABELS, 0.1, 1)
    matrices, vectors = parameter_groups(model, 0.01)
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.01, 0.0)
    assert {parameter.dim() for parameter in matrices["params"]} == {2}
    assert {parameter.dim() for parameter in vectors["params"]} == {1}
    assert len(matrices["params"]) + len(vectors["params"]) == len(list(model.parameters()))
