"""Time belongs to the part that was entered last."""

import torch
from torch import nn

from korbert.bench.breakdown import PARTS, Parts, chart


def test_time_between_two_entries_is_the_first_ones() -> None:
    now = iter([0.0, 1.0, 4.0, 5.0, 9.0, 12.0])
    parts = Parts(lambda: next(now))
    for part in ("data", "attention", "data", "", "backward", ""):
        parts.enter(part)
    # From 5 to 9 nothing is measured.
    assert dict(parts.seconds) == {"data": 2.0, "attention": 3.0, "backward": 3.0}
    assert parts.shares()["backward"] == 3 / 8
    assert list(parts.shares()) == list(PARTS)


def test_modules_enter_their_part_when_they_are_called_and_no_longer_afterwards() -> None:
    model = nn.ModuleDict({"0": nn.Linear(2, 2), "down": nn.Linear(2, 2), "transform": nn.Linear(2, 2)})
    seen: list[str] = []
    parts = Parts()
    parts.enter = seen.append  # type: ignore[method-assign]
    values = torch.ones(1, 2)
    with parts.watching(model):
        for name in ("0", "down", "transform"):
            model[name](values)
    model["0"](values)
    assert seen == ["attention", "mlm head"]


def test_the_chart_has_a_bar_a_part() -> None:
    lines = chart({"data": 0.0, "backward": 0.5})
    assert lines[0].split() == ["data", "0.0%"]
    assert lines[1].split() == ["backward", "50.0%", "█" * 20]
