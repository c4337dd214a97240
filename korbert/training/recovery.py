"""What has ended an attempt, when, and how long it took until a step was completed again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from korbert.training.beats import Beat
from korbert.training.journal import BEGUN, ENDED
from korbert.training.signs import HANG, STOPPED, STORE, USAGE, WORLD, Failure

RECOVERED = "recovered"
KILLED = "killed"
# The first of these that anyone has told of is the cause: what peers say of lost connections follows from it.
_TELLING = (HANG, STORE, WORLD, USAGE, STOPPED)


@dataclass(frozen=True)
class Loss:
    """The end of an attempt that nobody had asked for."""

    cause: str
    """hang, store (the rendezvous' store was lost), world (disk or network), usage, stopped (SIGTERM while a peer hung)
    or killed (a worker or a whole node went without a word)."""
    time: float
    """Seconds since 1970 of its first sign."""


def loss(events: Sequence[dict[str, Any]], failures: Iterable[Failure], beats: Sequence[Beat]) -> Loss | None:
    """How the attempt before ended; None when it ended as asked, or there was none. Pure.

    Args:
        events: the journal, before the new attempt is noted.
        failures: of all time.
        beats: the last signs of life.
    """
    if not events or events[-1]["event"] == ENDED:
        return None
    begun = max((event["time"] for event in events if event["event"] == BEGUN), default=0.0)
    since = [failure for failure in failures if failure.time >= begun]
    kinds = {failure.kind for failure in since}
    cause = next((kind for kind in _TELLING if kind in kinds), KILLED)
    # Where one was lost, the last sign of the one that fell silent first is nearest to the moment.
    signs = [failure.time for failure in since] or [beat.time for beat in beats if beat.time >= begun]
    return Loss(cause, min(signs, default=float(events[-1]["time"])))


def recoveries(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The recoveries that the journal tells of: attempt, step, cause and seconds to the first completed step."""
    names = ("attempt", "step", "cause", "seconds")
    return [{name: event[name] for name in names} for event in events if event["event"] == RECOVERED]
