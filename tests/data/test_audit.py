"""The audit: what it proves, and what it finds."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from korbert.data.audit import AuditLog, AuditReport, attempts, audit, file_name
from korbert.data.loader import StepBatch
from korbert.data.steps import Order

SAMPLES, BATCH = 53, 8
ORDER = Order(SAMPLES, BATCH, 1)
STEPS = ORDER.first_step(2)


def _write(folder: Path, attempt: int, first: int, end: int, world: int = 2) -> None:
    """An attempt in which each rank takes every world-th sample of each step."""
    for rank in range(world):
        log = AuditLog(folder, attempt, rank, world)
        for step in range(first, end):
            epoch, inner, *_ = ORDER.place(step)
            ids = [int(i) for i in ORDER.ids(step)[rank::world]]
            log.record(cast(StepBatch, SimpleNamespace(epoch=epoch, step_in_epoch=inner, samples=ids)))
        log.sync()
        log.close()


def _audit(folder: Path) -> AuditReport:
    return audit(folder, Order(SAMPLES, BATCH, 1), SAMPLES, STEPS)


def _edit(path: Path, line: int, **changes: Any) -> None:
    lines = path.read_text().splitlines()
    lines[line] = json.dumps(json.loads(lines[line]) | changes)
    path.write_text("\n".join(lines) + "\n")


def test_an_undisturbed_training_is_clean(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, STEPS)
    report = _audit(tmp_path)
    assert report == AuditReport(epochs=2, steps=STEPS, samples=2 * SAMPLES, attempts=1, worlds=[2])
    assert report.clean
    assert report.as_dict()["clean"] is True


def test_steps_redone_after_restarts_with_other_world_sizes_are_clean(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, 6)
    _write(tmp_path, 1, 4, 11, world=3)
    _write(tmp_path, 2, 3, 9, world=1)
    _write(tmp_path, 3, 9, STEPS)
    report = _audit(tmp_path)
    assert report.clean
    assert (report.steps, report.samples, report.attempts, report.worlds) == (STEPS, 2 * SAMPLES, 4, [1, 2])
    # Steps 4 and 5, undone by attempt 1 and again by 2, and step 3; then attempt 1's 4 to 10.
    assert report.replayed_steps == 3 + 7
    # Whether the last step of either had been completed nobody knows.
    assert report.undone_steps == 2 + 6


def test_an_attempt_that_completed_no_step_undoes_nothing(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, 6)
    _write(tmp_path, 1, 0, 0)
    _write(tmp_path, 2, 6, STEPS)
    report = _audit(tmp_path)
    assert report.clean
    assert report.replayed_steps == 0


def test_a_torn_last_line_of_a_killed_worker_is_a_step_not_done(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, 6)
    path = tmp_path / file_name(0, 1)
    path.write_bytes(path.read_bytes()[:-20])
    _write(tmp_path, 1, 5, STEPS)
    assert _audit(tmp_path).clean


def test_a_step_that_one_rank_did_not_complete_is_lost_when_it_is_not_redone(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, 6)
    path = tmp_path / file_name(0, 1)
    path.write_bytes(path.read_bytes()[:-20])
    _write(tmp_path, 1, 6, STEPS)
    report = _audit(tmp_path)
    assert report.lost == len(ORDER.ids(5)[1::2])
    assert not report.clean


def test_the_step_in_which_a_worker_was_lost_is_done_again_and_was_not_complete(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, 6)
    _write(tmp_path, 1, 5, STEPS)
    report = _audit(tmp_path)
    assert report.clean
    assert (report.replayed_steps, report.undone_steps) == (1, 0)


def test_a_line_is_on_its_way_to_the_disk_when_record_returns(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, 0, 0, 1)
    ids = list(range(5000))  # longer than any buffer
    log.record(cast(StepBatch, SimpleNamespace(epoch=0, step_in_epoch=0, samples=ids)))
    (line,) = (tmp_path / file_name(0, 0)).read_text().splitlines()
    assert json.loads(line)["samples"] == ids
    log.close()


def test_a_gap_between_attempts_is_lost(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, 6)
    _write(tmp_path, 1, 8, STEPS)
    report = _audit(tmp_path)
    assert report.lost == 2 * BATCH - (BATCH - len(ORDER.ids(6))) == len(ORDER.ids(6)) + len(ORDER.ids(7))
    assert not report.clean


def test_a_training_that_stopped_early_is_not_clean(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, STEPS - 1)
    report = _audit(tmp_path)
    assert (report.epochs, report.lost) == (1, len(ORDER.ids(STEPS - 1)))


def test_a_sample_trained_on_twice_in_a_step_is_found(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, STEPS)
    twice = [int(i) for i in ORDER.ids(2)]
    _edit(tmp_path / file_name(0, 0), 2, samples=twice)
    report = _audit(tmp_path)
    assert (report.repeated, report.lost, report.misplaced) == (BATCH // 2, 0, 0)
    assert not report.clean


def test_a_sample_of_another_step_is_found(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, STEPS)
    _edit(tmp_path / file_name(0, 1), 2, samples=[int(i) for i in ORDER.ids(3)[1::2]])
    report = _audit(tmp_path)
    assert (report.misplaced, report.lost) == (BATCH // 2, BATCH // 2)


def test_the_same_sample_in_the_next_epoch_is_no_repetition(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, STEPS)
    assert _audit(tmp_path).repeated == 0


def test_an_empty_folder_means_everything_is_lost(tmp_path: Path) -> None:
    report = _audit(tmp_path)
    assert (report.steps, report.lost, report.clean) == (0, 2 * SAMPLES, False)


def test_attempts_are_numbered_once(tmp_path: Path) -> None:
    _write(tmp_path, 0, 0, 1)
    _write(tmp_path, 11, 1, 2)
    assert attempts(tmp_path) == [0, 11]
    with pytest.raises(FileExistsError):
        AuditLog(tmp_path, 11, 0, 2)
