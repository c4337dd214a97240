"""Benchmarks compare equal work; what they print can be read by people and programs. No speed is asserted."""

import json
from pathlib import Path

import pytest

from korbert import bench
from korbert.bench.measure import Measurement, alternate
from korbert.config import Config
from korbert.errors import UsageError


def test_rounds_alternate_and_the_first_is_not_counted() -> None:
    calls: list[str] = []
    now = iter([0, 1, 1, 3, 3, 4, 4, 6, 6, 8, 8, 12])

    def work(name: str) -> int:
        calls.append(name)
        return 8

    ours, peer = alternate(lambda: work("ours"), lambda: work("peer"), 2, clock=lambda: float(next(now)))
    assert calls == ["ours", "peer"] * 3
    assert (ours, peer) == ([8.0, 4.0], [4.0, 2.0])


def test_ours_alone_has_no_ratio_to_tell() -> None:
    measured = Measurement("x", "peer", "u/s", [10.0, 40.0, 20.0], [], "machine", {"n": 1, "parts": {"a": 1}}, ["note"])
    assert measured.text().splitlines()[-2:] == ["note", "  n: 1"]
    assert "peer" not in measured.text()
    values = json.loads(measured.json())
    assert (values["ours"], values["ours_rounds"], values["parts"]) == (20.0, [10.0, 40.0, 20.0], {"a": 1})
    assert "ratio" not in values


def test_the_ratio_is_the_median_of_pairs() -> None:
    measured = Measurement("x", "peer", "u/s", [10.0, 40.0, 20.0], [5.0, 10.0, 10.0], "machine")
    assert measured.ratio == 2.0
    assert "ratio         2.00" in measured.text()
    values = json.loads(measured.json())
    assert (
        values | {"name": "x", "ours": 20.0, "peer": 10.0, "ratio": 2.0, "unit": "u/s", "machine": "machine"} == values
    )


@pytest.mark.parametrize(
    ("name", "against", "rounds", "message"),
    [
        ("prettrain", "transformers", 3, "there is no such benchmark"),
        ("pretrain", "jax", 3, "--against 'jax': must be one of: transformers"),
        ("pretrain", "transformers", 2, "--rounds 2: must be at least 3"),
        ("pretrain", "transformers", 3, "there is no encoded text under runs/"),
    ],
)
def test_a_wrong_request_is_refused(
    config: Config, name: str, against: str, rounds: int, message: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        bench.run(name, config, against=against, tokens=None, rounds=rounds)


def test_a_size_below_nothing_is_refused(config: Config) -> None:
    with pytest.raises(UsageError, match="--size -1: must be 1 or more"):
        bench.run("crawl", config, size=-1)
