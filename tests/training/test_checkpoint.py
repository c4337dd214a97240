"""Checkpoints: complete or absent, verified, and never another training's."""

import json
import resource
from pathlib import Path

import pytest
import torch

from korbert.errors import UsageError, WorldError
from korbert.training.checkpoint import MODEL, OPTIMIZER, RECORD, Checkpoints, Progress

WEIGHTS = {"w": torch.arange(1000.0), "b": torch.ones(3)}
STATE = {"exp_avg.w": torch.arange(1000.0) / 7, "step.w": torch.tensor(4.0)}
CONFIG = {"model.hidden": 32, "seed": 1}


def _checkpoints(folder: Path, key: str = "k", keep: int = 2, **config: int) -> Checkpoints:
    return Checkpoints(folder / "checkpoints", key, CONFIG | config, keep)


def _unexpected(text: str) -> None:
    raise AssertionError(text)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def test_a_checkpoint_gives_back_what_was_saved(tmp_path: Path) -> None:
    progress = Progress(step=7, samples=112, tokens=3000, seconds=1.25)
    _checkpoints(tmp_path).save(progress, WEIGHTS, STATE)
    found = _checkpoints(tmp_path).newest(_unexpected)
    assert found is not None
    assert found.progress == progress
    weights, state = found.tensors()
    assert weights.keys() == WEIGHTS.keys()
    assert all(torch.equal(weights[name], WEIGHTS[name]) for name in WEIGHTS)
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)


def test_a_new_training_has_none(tmp_path: Path) -> None:
    assert _checkpoints(tmp_path).newest(_unexpected) is None


def test_the_newest_are_kept_by_number_not_by_name(tmp_path: Path) -> None:
    for step in (5, 99_999_999, 100_000_000):
        _checkpoints(tmp_path).save(Progress(step), WEIGHTS, STATE)
    assert _names(tmp_path) == ["step-100000000", "step-99999999"]
    found = _checkpoints(tmp_path).newest(_unexpected)
    assert found is not None
    assert found.progress.step == 100_000_000


def test_a_step_saved_again_replaces_the_one_before(tmp_path: Path) -> None:
    _checkpoints(tmp_path).save(Progress(5), WEIGHTS, STATE)
    _checkpoints(tmp_path).save(Progress(5, tokens=9), WEIGHTS, STATE)
    found = _checkpoints(tmp_path).newest(_unexpected)
    assert found is not None
    assert found.progress.tokens == 9


@pytest.mark.parametrize("name", [MODEL, OPTIMIZER, RECORD])
@pytest.mark.parametrize("harm", ["truncated", "flipped", "missing", "empty"])
def test_a_damaged_newest_checkpoint_is_reported_and_the_one_before_is_used(
    tmp_path: Path, name: str, harm: str
) -> None:
    for step in (5, 10):
        _checkpoints(tmp_path).save(Progress(step), WEIGHTS, STATE)
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
    place = _checkpoints(tmp_path).save(Progress(5), WEIGHTS, STATE)
    (place / RECORD).write_text("null")
    told: list[str] = []
    assert _checkpoints(tmp_path).newest(told.append) is None
    assert len(told) == 1


def test_what_a_killed_writer_left_is_no_checkpoint_and_goes(tmp_path: Path) -> None:
    place = _checkpoints(tmp_path).save(Progress(5), WEIGHTS, STATE)
    place.rename(place.with_name(".step-00000010.4711"))
    assert _checkpoints(tmp_path).newest(_unexpected) is None
    assert _names(tmp_path) == []


def test_a_full_disk_is_told_and_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    _checkpoints(tmp_path).save(Progress(5), WEIGHTS, STATE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(WorldError, match="step-00000010: File too large; the checkpoint before it stays"):
            _checkpoints(tmp_path).save(Progress(10), WEIGHTS, STATE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert _names(tmp_path) == ["step-00000005"]
    assert _checkpoints(tmp_path).newest(_unexpected) is not None


def test_a_checkpoint_of_another_config_is_refused_by_the_fields_name(tmp_path: Path) -> None:
    _checkpoints(tmp_path).save(Progress(5), WEIGHTS, STATE)
    with pytest.raises(UsageError, match=r"model.hidden = 64: .*step-00000005 was made with 32"):
        _checkpoints(tmp_path, "other", **{"model.hidden": 64}).newest(_unexpected)


def test_a_checkpoint_of_other_tokens_is_refused(tmp_path: Path) -> None:
    _checkpoints(tmp_path).save(Progress(5), WEIGHTS, STATE)
    with pytest.raises(UsageError, match="other tokens"):
        _checkpoints(tmp_path, "other").newest(_unexpected)


def test_the_record_names_everything_a_reader_needs(tmp_path: Path) -> None:
    place = _checkpoints(tmp_path).save(Progress(5), WEIGHTS, STATE)
    record = json.loads((place / RECORD).read_text())
    assert record["key"] == "k"
    assert record["config"] == CONFIG
    assert record["progress"]["step"] == 5
    assert record["files"].keys() == {MODEL, OPTIMIZER}
