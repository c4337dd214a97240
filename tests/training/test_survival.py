"""Which step the weights stand for at any moment, and the last step's keeping: in one process."""

import fcntl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from korbert.errors import WorldError
from korbert.training.checkpoint import Checkpoints, Progress, Snapshot, Standing
from korbert.training.device import CpuAccelerator
from korbert.training.saving import Copier, Writer
from korbert.training.shelves import FolderShelf
from korbert.training.survival import Survivor, Wholeness


class _Event:
    """A stamp of a device that comes to it when the test says so."""

    def __init__(self) -> None:
        self.reached = False

    def query(self) -> bool:
        return self.reached


class _Training:
    """A state of one tensor, whose value is the step's number, and the survivor that keeps it."""

    def __init__(self, folder: Path) -> None:
        self.weights, self.events, self.told = torch.zeros(4), list[_Event](), list[str]()
        self.wholeness = Wholeness(self._stamp, Progress())
        self.copier = Copier(lambda: ({"w": self.weights}, {"m": self.weights}), CpuAccelerator())
        self.checkpoints = Checkpoints(FolderShelf(folder / "checkpoints"), "k", {}, 2)
        writer = Writer(lambda snapshot: None)
        self.survivor = Survivor(
            self.wholeness, self.copier, writer, self.checkpoints, folder / "lock", self.told.append
        )
        self.saved: list[int] = []
        self.survivor.watch(0, self.saved.append, lambda: False)

    def _stamp(self) -> _Event:
        self.events.append(_Event())
        return self.events[-1]

    def step(self, number: int, *, done: bool = True) -> None:
        """A step of the host; the device has done it, or has it before it."""
        with self.wholeness.changing(Standing(Progress(number))):
            if done:
                self.weights.fill_(number)
        for event in self.events[-2:]:
            event.reached = done

    def newest(self) -> tuple[int, float]:
        found = self.checkpoints.newest(pytest.fail)
        assert found is not None
        return found.progress.step, float(self.checkpoints.tensors(found)[0]["w"][0])


@pytest.fixture
def training(tmp_path: Path) -> _Training:
    return _Training(tmp_path)


def test_the_last_complete_step_is_saved_once(training: _Training) -> None:
    training.step(1)
    training.step(2)
    assert training.survivor.save("a peer is lost")
    training.step(3)
    assert training.survivor.save("another")
    assert training.newest() == (2, 2.0)
    assert training.saved == [2]
    assert training.told == ["step 2, the last complete one, is saved (a peer is lost)"]


def test_a_device_that_is_behind_the_host_is_saved_where_it_stands(training: _Training) -> None:
    training.step(1)
    training.step(2, done=False)
    training.step(3, done=False)
    assert training.survivor.save("its exchange will never end")
    assert training.newest() == (1, 1.0)


def test_while_the_device_changes_the_weights_nothing_is_copied(training: _Training) -> None:
    training.step(1)
    training.step(2, done=False)
    training.events[-2].reached = True  # the change has begun
    copies: list[int] = []

    def copy(standing: Standing) -> Snapshot:
        copies.append(standing.progress.step)
        return training.copier.aside(standing)

    def end() -> None:
        training.weights.fill_(2)
        training.events[-1].reached = True

    threading.Timer(0.3, end).start()
    snapshot = training.wholeness.taken(copy)
    assert snapshot is not None
    assert copies == [2]
    assert float(snapshot.model["w"][0]) == 2.0


def test_a_copy_that_the_device_has_overtaken_is_made_anew(training: _Training) -> None:
    training.step(1)
    training.step(2, done=False)

    def copy(standing: Standing) -> Snapshot:
        snapshot = training.copier.aside(standing)
        if standing.progress.step == 1:
            training.weights.fill_(2)
            for event in training.events[-2:]:
                event.reached = True
        return snapshot

    snapshot = training.wholeness.taken(copy)
    assert snapshot is not None
    assert (snapshot.standing.progress.step, float(snapshot.model["w"][0])) == (2, 2.0)


def test_weights_torn_in_mid_change_are_never_saved(training: _Training) -> None:
    training.step(1)
    changing = training.wholeness.changing(Standing(Progress(2)))
    with pytest.raises(RuntimeError, match="lost"), training.survivor.keeping(), changing:
        training.weights[:2] = 2
        raise RuntimeError("the device is lost")
    assert training.checkpoints.newest(pytest.fail) is None
    assert "in change" in training.told[0]


def test_another_thread_saves_while_the_main_one_hangs(training: _Training) -> None:
    training.step(1)
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(training.survivor.save("the main thread hangs")))
    thread.start()
    thread.join()
    assert answers == [True]
    assert training.newest() == (1, 1.0)


def test_a_fault_saves_and_goes_on_and_an_error_of_the_world_does_not_save(tmp_path: Path) -> None:
    errors: list[tuple[Callable[[], Exception], bool]] = [
        (lambda: RuntimeError("connection closed by peer"), True),
        (lambda: WorldError("training has diverged"), False),
    ]
    for number, (error, saves) in enumerate(errors):
        training = _Training(tmp_path / str(number))
        (tmp_path / str(number)).mkdir()
        training.step(1)
        with pytest.raises(type(error())), training.survivor.keeping():
            raise error()
        assert (training.saved == [1]) is saves


def test_what_is_no_number_is_not_saved(training: _Training) -> None:
    training.step(1)
    training.weights[1] = float("nan")
    assert not training.survivor.save("a peer is lost")
    assert training.checkpoints.newest(pytest.fail) is None


def test_who_has_done_no_step_has_nothing_to_save_and_nothing_is_lost(training: _Training) -> None:
    training.step(7)
    training.survivor.watch(7, training.saved.append, lambda: False)
    assert training.survivor.save("a peer is lost")
    assert training.saved == []


def test_a_step_that_another_survivor_has_saved_is_not_written_again(tmp_path: Path) -> None:
    one, other = _Training(tmp_path), _Training(tmp_path)
    for training in (one, other):
        training.step(1)
    one.step(2)
    assert one.survivor.save("a peer is lost")
    assert other.survivor.save("a peer is lost")  # a step behind
    assert (one.saved, other.saved) == ([2], [])
    assert one.newest() == (2, 2.0)


def test_a_damaged_checkpoint_of_the_step_is_replaced(training: _Training, tmp_path: Path) -> None:
    training.step(1)
    training.checkpoints.save(training.copier.aside(Standing(Progress(1))))
    (tmp_path / "checkpoints" / "step-00000001" / "model.safetensors").write_bytes(b"")
    assert training.survivor.save("a peer is lost")
    assert training.newest() == (1, 1.0)


def test_a_later_attempts_history_is_left_alone(training: _Training) -> None:
    training.step(1)
    training.survivor.watch(0, training.saved.append, lambda: True)
    assert not training.survivor.save("woken up late")
    assert training.checkpoints.newest(pytest.fail) is None


def test_a_full_disk_is_told_and_not_raised(training: _Training, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("in the way")
    training.step(1)
    assert not training.survivor.save("a peer is lost")
    assert "could not be saved" in training.told[-1]


def test_a_survivor_that_holds_the_lock_for_ever_keeps_nobody_from_saving(
    training: _Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("korbert.training.survival._PATIENCE", 0.2)
    training.step(1)
    with (tmp_path / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert training.survivor.save("a peer is lost")
    assert training.newest() == (1, 1.0)
