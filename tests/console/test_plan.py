"""`korbert plan`: a table for people, one object for programs."""

import json
from pathlib import Path

import pytest

from korbert.__main__ import main

FOUR = ["plan", "--recipe", "base", "--nodes", "4", "--link", "25GbE", "--set", "training.global_batch=2048",
        "--set", "training.rows_per_micro_batch=128"]  # fmt: skip


def test_four_nodes_over_25_gbe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FOUR, "--step-seconds", "1.171", "--samples", "2048000", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = {(one["communication"], one["once"]): one for one in told["predictions"]}
    assert found["fp32", True]["efficiency"] == pytest.approx(0.64, abs=0.005)
    assert found["bf16", True]["efficiency"] == pytest.approx(0.83, abs=0.01)
    assert found["fp32", False]["efficiency"] == pytest.approx(0.31, abs=0.005)
    # 40 epochs of 1,000 steps.
    assert found["bf16", True]["hours"] == pytest.approx(40_000 * found["bf16", True]["step_seconds"] / 3600)


def test_people_get_a_row_a_kind_of_exchange(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FOUR, "--peak-tflops", "790"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(("fp32, ", "bf16, ")) for line in lines) == 4
    assert "2,048" not in lines[1]
    assert "1,048,576 tokens a step" in lines[1]


def test_a_benchmarks_json_tells_the_speed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bench.json"
    file.write_text('pretrain: for people\n{"name": "pretrain", "ours": 1000.0}\n')
    assert main([*FOUR, "--bench", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rank_tokens_per_second"] == 1000.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plan"], "needs either RUN or --recipe"),
        (FOUR, "give --step-seconds, --bench or --peak-tflops"),
        ([*FOUR, "--bench", "nothing.json"], "its last line must be the benchmark's JSON"),
        ([*FOUR, "--peak-tflops", "790", "--sample-tokens", "513"], "must be 1 to data.max_tokens = 512"),
        ([*FOUR, "--peak-tflops", "790", "--samples", "-1"], "--samples -1"),
    ],
    ids=["neither", "no speed", "no file", "too long", "negative"],
)
def test_a_wrong_request_is_refused(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert message in capsys.readouterr().err
