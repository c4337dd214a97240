"""The machine's own matrix rate: of both clocks, and a best of several."""

import pytest

from korbert.bench import roofline
from korbert.bench.measure import Seconds
from korbert.training.device import CpuAccelerator


def test_the_rate_is_work_by_the_fastest_products_time_on_each_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = iter([Seconds(0, 0), Seconds(4, 1), Seconds(10, 10), Seconds(12, 18), Seconds(20, 20), Seconds(28, 24)])
    monkeypatch.setattr(Seconds, "now", classmethod(lambda _: next(stamps)))
    assert roofline.matrix_rate(CpuAccelerator(), side=8, products=3) == Seconds(2 * 8**3 / 2, 2 * 8**3 / 1)


def test_this_machine_has_a_rate() -> None:
    found = roofline.matrix_rate(CpuAccelerator(), side=128, products=3)
    assert found.wall > 1e6
    assert found.processor > 1e6
