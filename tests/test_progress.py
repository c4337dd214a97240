"""Progress where there is no terminal: a line now and then, with the time left."""

import pytest

from korbert import progress


def test_a_log_gets_a_line_with_count_note_and_time_left(capsys: pytest.CaptureFixture, monkeypatch) -> None:
    clock = iter(float(t) for t in range(0, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.meter("crawl", 40) as meter:
        meter.advance(10, note="5 articles/s")
    line = capsys.readouterr().err.strip()
    assert line.startswith("crawl: 10/40, 5 articles/s, ")
    assert line.endswith("s left")


def test_work_done_before_does_not_shorten_the_estimate(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    meter = progress.Meter("train", 100, None, done=80)
    now[0] = 10.0
    meter.advance(10)
    assert meter.line() == "train: 90/100, 10 s left"


def test_quiet_work_prints_nothing(capsys: pytest.CaptureFixture) -> None:
    with progress.meter("x", 2, quiet=True) as meter:
        meter.advance()
    assert capsys.readouterr().err == ""


def test_work_that_grows_on_its_way_is_estimated_from_what_is_known_now(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    meter = progress.Meter("crawl, slices", 10, None)
    now[0] = 10.0
    meter.at(20, 60, "5 articles/s")
    assert meter.line() == "crawl, slices: 20/60, 20 s left"
