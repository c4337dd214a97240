"""What workers leave for their driver."""

from pathlib import Path

from korbert.training.signs import FailureFile, ProgressFile


def test_the_last_progress_within_a_moment_may_be_missing_but_never_torn(tmp_path: Path) -> None:
    file = ProgressFile(tmp_path / "progress.json")
    assert file.read() is None
    file.write(3, "fast")
    file.write(4, "faster")
    assert file.read() == (3, "fast")
    (tmp_path / "progress.json").write_text('{"step": 5, "no')
    assert file.read() is None


def test_a_peers_lost_connection_is_not_reported_as_the_cause(tmp_path: Path) -> None:
    file = FailureFile(tmp_path / "failures.jsonl")
    assert file.cause(0.0) is None
    file.add(1, "fault", "RuntimeError: connection closed by peer")
    cause = file.cause(0.0)
    assert cause is not None
    assert cause.rank == 1
    file.add(0, "world", "disk: No space left on device")
    file.add(1, "fault", "RuntimeError: connection closed by peer")
    cause = file.cause(0.0)
    assert cause is not None
    assert (cause.rank, cause.kind, cause.message) == (0, "world", "disk: No space left on device")


def test_failures_of_an_earlier_run_are_history(tmp_path: Path) -> None:
    file = FailureFile(tmp_path / "failures.jsonl")
    file.add(0, "world", "old")
    cause = file.cause(0.0)
    assert cause is not None
    assert file.cause(cause.time + 1) is None
