"""A pod's log through the ends of its streams: an API server cuts them, and a restarted container begins a new one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import urllib3

from korbert.launch.connection import NotStarted

_POLL = 1.0
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")

Moment = tuple[datetime, int]
"""Seconds in UTC, and nanoseconds beyond them: Python's datetime has microseconds alone."""


class Follower:
    """Reads a log whose lines begin with their time, each line once."""

    def __init__(self, read: Callable[[bool], Iterator[str]], ended: Callable[[], bool]) -> None:
        """Takes what opens the log from its beginning (following it or not), and whether no more can come."""
        self._read, self._ended = read, ended
        self._last: Moment | None = None
        self._at_last = 0
        """Lines seen of that very time."""
        self._found = False
        """Whether a reading has found the log: where it is gone then, the job was cancelled or removed."""

    def lines(self, follow: bool, since: datetime | None, until: datetime | None) -> Iterator[str]:
        """Lines with their ends and without their times, from `since` to `until`; following, till the end of the job.

        Raises:
            NotStarted: where there was no log, and either it is not followed or the job has ended.
        """
        while True:
            # Asked before the reading: what is written between the two is read then, not lost.
            over = not follow or self._ended()
            try:
                for moment, line in self._new(follow and not over):
                    if until and moment[0] > until.astimezone(UTC):
                        return
                    if not since or moment[0] >= since.astimezone(UTC):
                        yield f"{line}\n"
            except NotStarted:
                if over and not self._found:
                    raise
            if over:
                return
            time.sleep(_POLL)

    def _new(self, follow: bool) -> Iterator[tuple[Moment, str]]:
        """Lines that no earlier reading has had."""
        before, seen, passed = self._last, self._at_last, 0
        try:
            for text in self._read(follow):
                self._found = True
                stamp, _, line = text.partition(" ")
                moment = _moment(stamp)
                passed += moment == before
                if before and (moment < before or (moment == before and passed <= seen)):
                    continue
                self._at_last = self._at_last + 1 if moment == self._last else 1
                self._last = moment
                yield moment, line
        except urllib3.exceptions.HTTPError:
            return  # cut off: what is missing comes with the next reading


def _moment(stamp: str) -> Moment:
    """Of RFC 3339 with up to nine digits of a second; nodes write their own time zone."""
    match = _STAMP.fullmatch(stamp)
    if match is None:
        raise ValueError(f"log line without a time: {stamp!r}")
    second = datetime.fromisoformat(match[1] + match[3]).astimezone(UTC)
    return second, int((match[2] or "").ljust(9, "0"))
