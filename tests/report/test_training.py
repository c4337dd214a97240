"""What a training leaves at its end: words that say what its numbers are worth, and a picture."""

import json
import math
from collections.abc import Callable

from korbert.chain import Workspace
from korbert.report import training
from korbert.report.read import read
from korbert.report.runs import Run

MakeRun = Callable[..., Workspace]


def _run(make_run: MakeRun, *, recovered: bool = False) -> Run:
    workspace = make_run("demo", to="pretrain", restart_at=300)
    path = workspace.path("pretrain") / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines = [line | {"recoveries": line["attempt"] * recovered} for line in lines]
    found = {"mlm": 5.25, "sop": 0.64, "mlm_accuracy": 0.22, "sop_accuracy": 0.63, "bits_per_character": 2.125}
    lines += [{"step": step, "held_out": found} for step in (300, 600)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return read([workspace])[0]


def test_the_words_hold_losses_beside_what_knowing_nothing_costs(make_run: MakeRun) -> None:
    lines = training.text(_run(make_run)).splitlines()
    assert lines[0].startswith("pre-training of demo: finished after 600 steps, 3,456,000 tokens in 7 min 00 s (")
    cells = {line.split("  ")[0]: line.split() for line in lines}
    assert cells["MLM, nats"][3:] == ["5.2500", "6.9315", "(how", "often", "tokens", "occur)"]
    assert cells["SOP, nats"][3:5] == ["0.6400", f"{math.log(2):.4f}"]
    assert cells["sum, nats"][3:] == ["5.8900", f"{6.9315 + math.log(2):.4f}"]
    assert cells["bits a character"][3:] == ["–", "2.1250"]


def test_recoveries_are_told_apart_from_stops_and_the_audit_is_named(make_run: MakeRun) -> None:
    last = "restarts: 1, of them recoveries: {}; audit: clean: no sample lost, none repeated"
    assert training.text(_run(make_run)).splitlines()[-1] == last.format(0)
    assert training.text(_run(make_run, recovered=True)).splitlines()[-1] == last.format(1)


def test_the_picture_has_losses_bits_rate_and_speed_with_their_lines(make_run: MakeRun) -> None:
    run = _run(make_run, recovered=True)
    drawn = {chart.name: chart for chart in training.curves(run)}
    assert tuple(drawn) == ("mlm", "sop", "loss", "bits", "lr", "speed")
    assert [len(drawn[name].levels) for name in drawn] == [1, 1, 1, 0, 0, 0]
    assert all([event.label for event in chart.events] == ["demo: recovered"] for chart in drawn.values())
    picture = training.picture(run)
    assert picture is not None
    assert picture.startswith(b"\x89PNG")


def test_a_run_without_a_step_has_words_but_no_picture() -> None:
    assert training.text(Run("new")) == "pre-training of new: no step is done yet"
    assert training.picture(Run("new")) is None
