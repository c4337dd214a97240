"""What ended an attempt, by its journal, its failures and the last signs of life."""

from dataclasses import replace
from pathlib import Path

import pytest

from korbert.training.beats import Beat
from korbert.training.journal import BEGUN, ENDED, SAVED, Journal, Recoveries
from korbert.training.recovery import RECOVERED, Loss, loss, recoveries
from korbert.training.signs import Failure

JOURNAL = [
    {"event": BEGUN, "attempt": 0, "step": 0, "time": 100.0},
    {"event": SAVED, "attempt": 0, "step": 5, "time": 120.0},
]
BEAT = Beat("g", 0, 2, 100, "one", 17, "step", False, 9, 130.0)
LOST_PEER = Failure(0, "fault", "connection closed by peer", "log", 131.0)


@pytest.mark.parametrize(
    ("events", "failures", "expected"),
    [
        pytest.param([], [], None, id="the first attempt"),
        pytest.param([*JOURNAL, {"event": ENDED, "step": 6, "time": 125.0}], [], None, id="ended as asked"),
        pytest.param(JOURNAL, [], Loss("killed", 129.0), id="all killed: when the first fell silent"),
        pytest.param(JOURNAL, [LOST_PEER], Loss("killed", 131.0), id="a peer killed: when the connection broke"),
        pytest.param(
            JOURNAL,
            [LOST_PEER, replace(LOST_PEER, kind="hang", time=140.0)],
            Loss("hang", 131.0),
            id="a hang explains lost connections",
        ),
        pytest.param(JOURNAL, [replace(LOST_PEER, kind="store")], Loss("store", 131.0), id="the store"),
        pytest.param(JOURNAL, [replace(LOST_PEER, kind="world")], Loss("world", 131.0), id="a full disk"),
        pytest.param(JOURNAL, [replace(LOST_PEER, kind="stopped")], Loss("stopped", 131.0), id="stopped alone"),
        pytest.param(JOURNAL, [replace(LOST_PEER, time=90.0)], Loss("killed", 129.0), id="failures of before"),
    ],
)
def test_the_cause_and_the_time_of_a_loss(
    events: list[dict[str, object]], failures: list[Failure], expected: Loss | None
) -> None:
    assert loss(events, failures, [BEAT, replace(BEAT, rank=1, time=129.0)]) == expected


def test_without_a_sign_the_journals_last_event_is_the_time() -> None:
    assert loss(JOURNAL, [], []) == Loss("killed", 120.0)


def test_a_recovery_is_read_from_the_journal_and_counts_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "attempts.jsonl")
    journal.note(BEGUN, 0, 0)
    journal.note(BEGUN, 1, 0)
    journal.note(RECOVERED, 1, 1, cause="killed", seconds=4.5)
    journal.note(ENDED, 1, 9)
    assert recoveries(journal.read()) == [{"attempt": 1, "step": 1, "cause": "killed", "seconds": 4.5}]
    assert isinstance(journal.recoveries(), Recoveries)
    assert journal.recoveries().recoveries == 1
