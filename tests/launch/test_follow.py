"""Following a log: what each reading adds, in time and number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import urllib3

from korbert.launch.connection import NotStarted
from korbert.launch.follow import Follower

T = "2026-11-22T10:00:0"


class Readings:
    """Logs as they stand at each opening; an error at the end of one is raised there."""

    def __init__(self, *readings: list[str | Exception]) -> None:
        self._readings = list(readings)

    def open(self, follow: bool) -> Iterator[str]:
        for entry in self._readings.pop(0):
            if isinstance(entry, Exception):
                raise entry
            yield entry

    def ended(self) -> bool:
        return len(self._readings) <= 1


def _all(*readings: list[str | Exception]) -> list[str]:
    log = Readings(*readings)
    return list(Follower(log.open, log.ended).lines(True, None, None))


def test_lines_of_one_time_are_told_apart_by_their_number() -> None:
    first: list[str | Exception] = [f"{T}1Z a", f"{T}1Z b", urllib3.exceptions.ProtocolError("cut")]
    assert _all(first, [f"{T}1Z a", f"{T}1Z b", f"{T}1Z c", f"{T}1Z d"]) == ["a\n", "b\n", "c\n", "d\n"]


def test_times_are_compared_as_times() -> None:
    """As text 1Z comes after 1.5Z, and another zone's hour anywhere."""
    assert _all([f"{T}1Z a"], [f"{T}1Z a", f"{T}1.5Z b", "2026-11-22T19:00:02+09:00 c"]) == ["a\n", "b\n", "c\n"]


def test_what_a_cut_reading_had_not_reached_comes_with_the_next() -> None:
    lines = [f"{T}{n}.000000001Z {n}" for n in range(5)]
    cut = urllib3.exceptions.ProtocolError("cut")
    assert _all([lines[0], cut], [lines[0], lines[1], cut], [*lines]) == [f"{n}\n" for n in range(5)]


def test_a_pod_that_starts_late_is_waited_for() -> None:
    assert _all([NotStarted("not yet")], [f"{T}1Z a"]) == ["a\n"]


def test_a_log_that_never_came_is_told() -> None:
    with pytest.raises(NotStarted, match="never"):
        _all([NotStarted("never")])


def test_a_log_that_went_with_its_cancelled_job_ends_with_its_last_line() -> None:
    assert _all([f"{T}1Z a", f"{T}2Z b"], [NotStarted("removed")]) == ["a\n", "b\n"]


def test_only_the_asked_span_is_shown() -> None:
    log = Readings([f"{T}{n}Z {n}" for n in range(6)])
    since, until = (datetime(2026, 11, 22, 10, 0, second, tzinfo=UTC) for second in (2, 4))
    assert list(Follower(log.open, log.ended).lines(False, since, until)) == ["2\n", "3\n", "4\n"]
