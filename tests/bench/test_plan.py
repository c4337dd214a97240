"""The plan's formulae, beside figures worked out by hand."""

from dataclasses import replace

import pytest

from korbert import recipes
from korbert.bench.plan import Cluster, Work, link_of, micro_batches, predict, rank_speed, ring_bytes
from korbert.errors import UsageError

# BERT-base, 2^20 tokens a step, four micro-batches a rank; an H200 between 866 and 925 thousand tokens a second (what
# MLPerf Training 4.0's BERT record is worth in BERT-base tokens).
SPEED = (866_000 + 925_000) / 2
FOUR = Cluster(4, 1, link_of("25GbE"))


@pytest.fixture
def base() -> Work:
    config = recipes.base()
    training = replace(config.training, global_batch=2048, row_tokens=512, rows_per_micro_batch=128)
    return Work.of(replace(config, training=training), 32_000, 512, steps=1000)


@pytest.mark.parametrize(
    ("communication", "once", "efficiency"), [("fp32", True, 0.64), ("bf16", True, 0.83), ("fp32", False, 0.31)]
)
def test_four_nodes_over_25_gbe_scale_as_was_worked_out_by_hand(
    base: Work, communication: str, once: bool, efficiency: float
) -> None:
    assert micro_batches(base, 4) == 4
    assert predict(base, FOUR, SPEED, communication, once=once).efficiency == pytest.approx(efficiency, abs=0.005)


def test_bert_bases_gradients_are_445_megabytes_and_half_of_it_in_bf16(base: Work) -> None:
    assert base.parameters * 4 / 1e6 == pytest.approx(445, abs=0.5)
    fp32, bf16 = (predict(base, FOUR, SPEED, kind) for kind in ("fp32", "bf16"))
    assert fp32.exchange_bytes == pytest.approx(1.5 * base.parameters * 4)
    assert bf16.exchange_seconds == pytest.approx(fp32.exchange_seconds / 2)
    assert fp32.exchange_seconds == pytest.approx(0.2136, abs=1e-3)


def test_an_h200_at_60_percent_makes_854_thousand_tokens_a_second(base: Work) -> None:
    assert rank_speed(base, peak_tflops=790, mfu=0.6) == pytest.approx(854_000, rel=2e-3)


def test_one_gpu_exchanges_nothing_and_its_hours_are_tokens_by_speed(base: Work) -> None:
    alone = predict(base, Cluster(1, 1, link_of("25GbE")), SPEED, "fp32")
    assert (alone.efficiency, alone.exchange_bytes, alone.exposed_seconds) == (1.0, 0.0, 0.0)
    assert alone.hours == pytest.approx(1000 * 2**20 / SPEED / 3600)


def test_gpus_of_one_node_do_not_use_the_link(base: Work) -> None:
    slow, fast = (predict(base, Cluster(1, 8, link_of(link)), SPEED, "fp32") for link in ("1GbE", "400GbE"))
    assert slow == fast
    assert slow.exchange_seconds > 0


def test_a_slower_link_never_makes_a_step_faster_and_a_fast_one_is_hidden(base: Work) -> None:
    links = ["1GbE", "10GbE", "25GbE", "100GbE", "400GbE", "3200GbE"]
    steps = [predict(base, Cluster(8, 8, link_of(link)), SPEED, "bf16") for link in links]
    assert [one.step_seconds for one in steps] == sorted((one.step_seconds for one in steps), reverse=True)
    assert steps[-1].exposed_seconds == 0
    assert steps[-1].step_seconds == steps[-1].compute_seconds


def test_the_ring_carries_nearly_twice_the_bytes() -> None:
    assert ring_bytes(100, 1) == 0
    assert ring_bytes(100, 2) == 100
    assert ring_bytes(100, 1000) == pytest.approx(199.8)


def test_a_speed_can_be_told_in_three_ways(base: Work) -> None:
    assert rank_speed(base, step_seconds=2.0, mfu=0.5) == 2**20 / 2
    assert rank_speed(base, measured=123.0, mfu=0.5) == 123.0
    assert rank_speed(base, peak_tflops=1, mfu=1.0) == pytest.approx(1e12 / base.flops_a_token)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mfu": 0.5}, "give --step-seconds, --bench or --peak-tflops"),
        ({"mfu": 1.5, "peak_tflops": 1}, "--mfu 1.5: is a share"),
        ({"mfu": 0.5, "step_seconds": -1}, "must be more than 0"),
    ],
    ids=["none", "share", "negative"],
)
def test_a_speed_that_is_none_is_refused(base: Work, arguments: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rank_speed(base, **arguments)


@pytest.mark.parametrize(
    ("text", "rate"), [("25GbE", 3.125e9), ("400Gb/s", 5e10), ("2.5 GbE", 3.125e8), ("50GB/s", 5e10)]
)
def test_links_are_read_as_people_write_them(text: str, rate: float) -> None:
    assert link_of(text) == rate


@pytest.mark.parametrize("text", ["fast", "25", "0GbE", "25MB/s", ""])
def test_a_link_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="like 25GbE"):
        link_of(text)


def test_a_cluster_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="--nodes 0: must be at least 1"):
        Cluster(0, 1, 1.0)
