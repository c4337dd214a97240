"""Checkpoints: complete or absent, verified, and never another training's."""

import itertools
import json
import multiprocessing
import os
import resource
import signal
import time
from pathlib import Path

import pytest
import torch

from korbert.errors import UsageError, WorldError
from korbert.training.checkpoint import MODEL, OPTIMIZER, RECORD, Checkpoints, Progress, Snapshot, Standing
from korbert.training.shelves import FolderShelf

WEIGHTS = {"w": torch.arange(1000.0), "b": torch.ones(3)}
STATE = {"exp_avg.w": torch.arange(1000.0) / 7, "step.w": torch.tensor(4.0)}
CONFIG = {"model.hidden": 32, "seed": 1}


def _checkpoints(folder: Path, key: str = "k", keep: int = 2, **config: int) -> Checkpoints:
    return Checkpoints(FolderShelf(folder / "checkpoints"), key, CONFIG | config, keep)


def _save(folder: Path, progress: Progress, keep: int = 2) -> Path:
    checkpoints = _checkpoints(folder, keep=keep)
    return folder / "checkpoints" / checkpoints.save(Snapshot(Standing(progress), WEIGHTS, STATE))


def _unexpected(text: str) -> None:
    raise AssertionError(text)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def test_a_checkpoint_gives_back_what_was_saved(tmp_path: Path) -> None:
    progress = Progress(step=7, samples=112, tokens=3000, seconds=1.25)
    _save(tmp_path, progress)
    found = _checkpoints(tmp_path).newest(_unexpected)
    assert found is not None
    assert found.progress == progress
    weights, state = _checkpoints(tmp_path).tensors(found)
    assert weights.keys() == WEIGHTS.keys()
    assert all(torch.equal(weights[name], WEIGHTS[name]) for name in WEIGHTS)
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)


def test_a_new_training_has_none(tmp_path: Path) -> None:
    assert _checkpoints(tmp_path).newest(_unexpected) is None


def test_the_newest_are_kept_by_number_not_by_name(tmp_path: Path) -> None:
    for step in (5, 99_999_999, 100_000_000):
        _save(tmp_path, Progress(step))
    assert _names(tmp_path) == ["step-100000000", "step-99999999"]
    found = _checkpoints(tmp_path).newest(_unexpected)
    assert found is not None
    assert found.progress.step == 100_000_000


def test_a_step_saved_again_replaces_the_one_before(tmp_path: Path) -> None:
    _save(tmp_path, Progress(5))
    _save(tmp_path, Progress(5, tokens=9))
    found = _checkpoints(tmp_path).newest(_unexpected)
    assert found is not None
    assert found.progress.tokens == 9


@pytest.mark.parametrize("name", [MODEL, OPTIMIZER, RECORD])
@pytest.mark.parametrize("harm", ["truncated", "flipped", "missing", "empty"])
def test_a_damaged_newest_checkpoint_is_reported_and_the_one_before_is_used(
    tmp_path: Path, name: str, harm: str
) -> None:
    for step in (5, 10):
        _save(tmp_path, Progress(step))
    victim = tmp_path / "checkpoints" / "step-00000010" / name
    content = bytearray(victim.read_bytes())
    if harm == "missing":
        victim.unlink()
    else:
        content[len(content) // 2] ^= 0x80
        victim.write_bytes({"truncated": content[: len(content) // 2], "flipped": content, "empty": b""}[harm])
    told: list[str] = []
    found = _checkpoints(tmp_path).newest(told.append)
    assert found is not None
    assert found.progress.step == 5
    assert len(told) == 1
    assert "step-00000010" in told[0]
    assert name in told[0]


def test_when_all_are_damaged_training_begins_anew(tmp_path: Path) -> None:
    place = _save(tmp_path, Progress(5))
    (place / RECORD).write_text("null")
    told: list[str] = []
    assert _checkpoints(tmp_path).newest(told.append) is None
    assert len(told) == 1


def test_what_a_killed_writer_left_is_no_checkpoint_and_goes(tmp_path: Path) -> None:
    place = _save(tmp_path, Progress(5))
    place.rename(place.with_name(".step-00000010.4711"))
    assert _checkpoints(tmp_path).newest(_unexpected) is None
    assert _names(tmp_path) == [".step-00000010.4711"]  # its writer may be alive: readers leave it alone
    _checkpoints(tmp_path).sweep()
    assert _names(tmp_path) == []


def test_a_full_disk_is_told_and_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    _save(tmp_path, Progress(5))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(WorldError, match="step-00000010: File too large; the checkpoint before it stays"):
            _save(tmp_path, Progress(10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert _names(tmp_path) == ["step-00000005"]
    assert _checkpoints(tmp_path).newest(_unexpected) is not None


def test_a_checkpoint_of_another_config_is_refused_by_the_fields_name(tmp_path: Path) -> None:
    _save(tmp_path, Progress(5))
    with pytest.raises(UsageError, match=r"model.hidden = 64: .*step-00000005 was made with 32"):
        _checkpoints(tmp_path, "other", **{"model.hidden": 64}).newest(_unexpected)


def test_a_checkpoint_of_other_tokens_is_refused(tmp_path: Path) -> None:
    _save(tmp_path, Progress(5))
    with pytest.raises(UsageError, match="other tokens"):
        _checkpoints(tmp_path, "other").newest(_unexpected)


def test_the_record_names_everything_a_reader_needs(tmp_path: Path) -> None:
    place = _save(tmp_path, Progress(5))
    record = json.loads((place / RECORD).read_text())
    assert record["key"] == "k"
    assert record["config"] == CONFIG
    assert record["progress"]["step"] == 5
    assert record["files"].keys() == {MODEL, OPTIMIZER}


def test_a_line_that_was_not_told_yet_is_kept(tmp_path: Path) -> None:
    standing = Standing(Progress(3), {"step": 3, "loss": 0.5})
    _checkpoints(tmp_path).save(Snapshot(standing, WEIGHTS, STATE))
    found = _checkpoints(tmp_path).newest(_unexpected)
    assert found is not None
    assert found.standing == standing


def test_it_holds_a_step_when_a_whole_checkpoint_of_it_or_a_later_one_is_there(tmp_path: Path) -> None:
    place = _save(tmp_path, Progress(5))
    assert [_checkpoints(tmp_path).holds(step, _unexpected) for step in (4, 5, 6)] == [True, True, False]
    (place / MODEL).write_bytes(b"")
    assert not _checkpoints(tmp_path).holds(5, lambda _: None)


def test_a_place_that_cannot_be_written_is_told_before_training_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorldError, match="file: ") as caught:
        Checkpoints(FolderShelf(tmp_path / "file"), "k", CONFIG, 2).require_usable()
    assert "\n" not in str(caught.value)


def test_another_trainings_place_is_refused_without_reading_its_tensors(tmp_path: Path) -> None:
    place = _save(tmp_path, Progress(5))
    (place / MODEL).unlink()
    _checkpoints(tmp_path).require_usable()
    with pytest.raises(UsageError, match="seed = 2: .*was made with 1"):
        _checkpoints(tmp_path, "other", seed=2).require_usable()


def _write_for_ever(folder: Path) -> None:
    for step in itertools.count(1):
        weights = {"w": torch.full((5_000_000,), float(step))}
        _checkpoints(folder).save(Snapshot(Standing(Progress(step)), weights, STATE))


def test_a_writer_killed_in_the_midst_of_a_checkpoint_leaves_the_one_before(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_write_for_ever, args=(tmp_path,))
    writer.start()
    place = tmp_path / "checkpoints"
    assert writer.pid is not None
    deadline = time.monotonic() + 120
    # Stopped again and again, until that finds it with a draft that has something in it, after the second checkpoint.
    while True:
        assert time.monotonic() < deadline
        os.kill(writer.pid, signal.SIGSTOP)
        os.waitpid(writer.pid, os.WUNTRACED)
        saved = [path for path in place.glob("step-*") if int(path.name.removeprefix("step-")) >= 2]
        if saved and any(path.stat().st_size for path in place.glob(".step-*/*")):
            break
        os.kill(writer.pid, signal.SIGCONT)
        time.sleep(0.003)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert list(place.glob(".step-*"))
    found = _checkpoints(tmp_path).newest(_unexpected)
    assert found is not None
    assert found.progress.step >= 2
    assert set(_checkpoints(tmp_path).tensors(found)[0]["w"].tolist()) == {float(found.progress.step)}
    _checkpoints(tmp_path).sweep()
    assert all(name.startswith("step-") for name in _names(tmp_path))
