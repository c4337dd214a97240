"""Checkpoints beside the training: copies that nothing changes, one writer, and errors that are not lost."""

import threading
from collections.abc import Callable

import pytest
import torch

from korbert.errors import WorldError
from korbert.training.checkpoint import Progress, Snapshot, Standing
from korbert.training.device import CpuAccelerator
from korbert.training.saving import Copier, Writer


def _made(step: int) -> Callable[[], tuple[Snapshot, Callable[[], None]]]:
    return lambda: (Snapshot(Standing(Progress(step)), {}, {}), lambda: None)


def test_a_snapshot_stays_what_it_was_while_training_goes_on() -> None:
    weights, rest = torch.arange(6.0).reshape(2, 3), torch.ones(2)
    copier = Copier(lambda: ({"w": weights.T}, {"m": rest}), CpuAccelerator())
    snapshot, arrived = copier.begin(Standing(Progress(3)))
    arrived()
    aside = copier.aside(Standing(Progress(3)))
    weights.zero_()
    rest.zero_()
    for taken in (snapshot, aside):
        assert taken.model["w"].tolist() == [[0, 3], [1, 4], [2, 5]]
        assert taken.model["w"].is_contiguous()
        assert taken.optimizer["m"].tolist() == [1, 1]


def test_training_goes_on_while_a_checkpoint_is_written_and_the_next_waits_for_it() -> None:
    release, events = threading.Event(), list[str]()

    def write(snapshot: Snapshot) -> None:
        release.wait()
        events.append(f"written {snapshot.standing.progress.step}")

    def second() -> tuple[Snapshot, Callable[[], None]]:
        events.append("copied 2")
        return _made(2)()

    writer = Writer(write)
    writer.submit(_made(1))
    assert events == []  # and we are here
    threading.Timer(0.05, release.set).start()
    writer.submit(second)
    assert events[:2] == ["written 1", "copied 2"]  # never two copies at once
    writer.settle()
    assert events[2:] == ["written 2"]
    assert (writer.failed, writer.failure) == (False, "")


def test_a_failed_write_is_kept_and_nothing_is_written_after_it() -> None:
    written: list[int] = []

    def write(snapshot: Snapshot) -> None:
        written.append(snapshot.standing.progress.step)
        raise WorldError("the disk is full")

    writer = Writer(write)
    writer.submit(_made(1))
    writer.settle()
    writer.submit(_made(2))
    writer.settle()
    assert (writer.failed, writer.failure, written) == (True, "the disk is full", [1])


def test_a_fault_of_ours_in_the_writer_is_raised_as_what_it_is() -> None:
    def write(_: Snapshot) -> None:
        raise KeyError("x")

    writer = Writer(write)
    writer.submit(_made(1))
    writer.settle()
    with pytest.raises(KeyError, match="x"):
        _ = writer.failure
