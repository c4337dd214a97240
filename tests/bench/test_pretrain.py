"""The pre-training benchmark: what is measured, told and refused. No speed is asserted."""

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from korbert import bench, recipes
from korbert.bench.pretrain import lengthened
from korbert.bench.step import Ours
from korbert.bench.workers import workers_of
from korbert.config import Config
from korbert.errors import UsageError, WorldError

ROUNDS = 3


def test_beside_its_peer_every_number_is_told(config: Config, tokens: Path) -> None:
    measured = bench.run("pretrain", config, against="transformers", tokens=tokens, rounds=ROUNDS, max_tokens=0)
    values = json.loads(measured.json())
    assert len(values["ours_rounds"]) == len(values["peer_rounds"]) == ROUNDS
    assert values["ratio"] > 0
    assert values["ratio_processor"] > 0
    assert values["max_tokens"] == 128
    assert values["peer_optimizer"] == "adamw_torch_fused"
    assert "ratio" in measured.text()


def test_alone_the_share_of_the_matrix_rate_and_the_parts_are_told(config: Config, tokens: Path) -> None:
    measured = bench.run("pretrain", config, tokens=tokens, rounds=ROUNDS)
    values = json.loads(measured.json())
    assert "peer" not in values
    assert values["max_tokens"] == 512
    assert min(values["mfu"], values["mfu_processor"], values["matrix_gflops"]) > 0
    # Every part of a step was entered, and together they are the step.
    assert all(share > 0 for share in values["breakdown"].values())
    assert sum(values["breakdown"].values()) == pytest.approx(1, abs=1e-3)
    assert "mlm head" in measured.text()


def test_the_peers_attention_dropout_is_its_hidden_dropout_unless_told(config: Config, tokens: Path) -> None:
    config = replace(config, model=replace(config.model, dropout=0.1))
    told = [
        bench.run("pretrain", config, against="transformers", tokens=tokens, attention_dropout=rate, rounds=ROUNDS)
        for rate in (None, 0.0)
    ]
    assert [one.details["peer_attention_dropout"] for one in told] == [0.1, 0.0]
    assert {one.details["dropout"] for one in told} == {0.1}


def test_our_steps_learn_and_count_real_tokens_only(config: Config, tokens: Path) -> None:
    ours = Ours(config, tokens)
    before = {name: weight.clone() for name, weight in ours.model.named_parameters()}
    _, (batch,) = ours.train(0)
    assert batch.global_tokens == sum(len(part.tokens) for part in batch.micro_batches)
    assert batch.global_tokens == ours.samples.lengths[batch.samples].sum()
    assert all(not before[name].equal(weight) for name, weight in ours.model.named_parameters())
    assert all(weight.grad is None for weight in ours.model.parameters())


def test_ours_trains_in_as_many_processes_as_the_recipe_and_time_is_that_of_all(config: Config, tokens: Path) -> None:
    for workers in (1, 3):
        one = replace(config, training=replace(config.training, workers=workers, static_shapes=workers == 3))
        with workers_of(one, tokens) as team:
            seconds = team.train(0, 2)
            assert len(multiprocessing.active_children()) == workers
            assert sum(team.breakdown(2, 1).values()) == pytest.approx(1)
        assert min(seconds) > 0
        assert not multiprocessing.active_children()


def test_a_worker_that_is_killed_ends_the_measurement_with_one_line(config: Config, tokens: Path) -> None:
    with workers_of(config, tokens) as team:
        for process in multiprocessing.active_children():
            process.kill()
            process.join()
        with pytest.raises(WorldError, match="a worker process has ended"):
            team.train(0, 1)


def test_what_the_machine_has_not_is_told_by_the_workers_that_miss_it(
    config: Config, tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # the workers, processes of their own, see none where there are some
    config = replace(config, training=replace(config.training, device="cuda"))
    with (
        pytest.raises(UsageError, match=r"training.device = 'cuda': worker \d of this machine finds 0 CUDA"),
        workers_of(config, tokens),
    ):
        pytest.fail("nobody trains")


@pytest.mark.parametrize("length", [128, 512, 2048])
def test_longer_samples_come_in_longer_rows_as_many_a_micro_batch(length: int) -> None:
    config = lengthened(recipes.tiny(), length)
    assert (config.data.max_tokens, config.training.row_tokens, config.model.max_positions) == (length,) * 3
    assert config.training.rows_per_micro_batch == recipes.tiny().training.rows_per_micro_batch


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_tokens": -1}, "data.max_tokens"),
        ({"attention_dropout": 1.0}, "--attention-dropout 1: is a probability"),
        ({"text": Path("a.jsonl")}, "--tokens, --text: one of them"),
    ],
    ids=["length", "dropout", "both"],
)
def test_a_wrong_request_is_refused(config: Config, tokens: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bench.run("pretrain", config, tokens=tokens, rounds=ROUNDS, **arguments)


def test_a_shape_that_the_peer_is_not_is_refused_but_measured_alone(config: Config, tokens: Path) -> None:
    config = replace(config, model=replace(config.model, architecture="modern"))
    with pytest.raises(UsageError, match="choose bert, or leave --against out"):
        bench.run("pretrain", config, against="transformers", tokens=tokens, rounds=ROUNDS)
    measured = bench.run("pretrain", config, tokens=tokens, rounds=ROUNDS, max_tokens=0)
    assert measured.details["breakdown"]["attention"] > 0
