"""Where checkpoints lie: the same promises in a folder, behind a URL, and in an S3 store (a local server)."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import torch

from korbert.errors import UsageError, WorldError
from korbert.training.checkpoint import MODEL, OPTIMIZER, RECORD, Checkpoints, Progress, Snapshot, Standing
from korbert.training.shelves import FolderShelf, UrlShelf, shelf_of

PLACES = ("folder", "file", "memory", "s3")


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of its own, by its kind."""
    kind: str = request.param
    if kind == "s3":
        return str(request.getfixturevalue("bucket")) + "/runs/one"
    return {"folder": "", "file": f"file://{tmp_path}/at/a/url", "memory": f"memory://{tmp_path.name}/run"}[kind]


def _checkpoints(url: str, folder: Path, keep: int = 2) -> Checkpoints:
    return Checkpoints(shelf_of(url, folder / "checkpoints", RECORD), "k", {"seed": 1}, keep)


def _snapshot(step: int) -> Snapshot:
    weights = {"w": torch.full((1000,), float(step)), "b": torch.ones(3)}
    return Snapshot(Standing(Progress(step)), weights, {"exp_avg.w": torch.arange(1000.0)})


def _files(url: str, folder: Path) -> tuple[Any, list[str]]:
    """fsspec's view of the place, and all files there."""
    system, root = fsspec.core.url_to_fs(url or f"file://{folder}/checkpoints", use_listings_cache=False)
    system.invalidate_cache()
    return system, sorted(map(str, system.find(root)))


def _found(checkpoints: Checkpoints, told: list[str] | None = None) -> tuple[int, float] | None:
    found = checkpoints.newest(pytest.fail if told is None else told.append)
    return (found.progress.step, float(checkpoints.tensors(found)[0]["w"][0])) if found else None


@pytest.mark.parametrize("url", PLACES, indirect=True)
def test_the_newest_are_kept_and_give_back_what_was_saved(url: str, tmp_path: Path) -> None:
    checkpoints = _checkpoints(url, tmp_path)
    checkpoints.require_usable()
    assert _found(checkpoints) is None
    for step in (5, 99_999_999, 100_000_000):
        checkpoints.save(_snapshot(step))
    assert _found(_checkpoints(url, tmp_path)) == (100_000_000, 1e8)
    _, files = _files(url, tmp_path)
    assert len(files) == 2 * 3  # nothing else lies around, neither a draft nor a probe
    assert not [name for name in files if "step-00000005" in name]


@pytest.mark.parametrize("url", PLACES, indirect=True)
@pytest.mark.parametrize("name", [MODEL, OPTIMIZER, RECORD])
@pytest.mark.parametrize("harm", ["truncated", "flipped", "missing"])
def test_a_damaged_newest_is_passed_over_and_its_step_can_be_saved_again(
    url: str, tmp_path: Path, name: str, harm: str
) -> None:
    checkpoints = _checkpoints(url, tmp_path)
    for step in (5, 10):
        checkpoints.save(_snapshot(step))
    system, files = _files(url, tmp_path)
    victim = next(path for path in files if "step-00000010" in path and path.endswith(name))
    content = bytearray(system.cat_file(victim))
    content[len(content) // 2] ^= 0x80
    if harm == "missing":
        system.rm_file(victim)
    else:
        system.pipe_file(victim, bytes(content if harm == "flipped" else content[: len(content) // 2]))
    told: list[str] = []
    assert _found(checkpoints, told) == (5, 5.0)
    hidden = harm == "missing" and name == RECORD and url.startswith(("memory", "s3"))
    assert len(told) == (0 if hidden else 1)  # without a record there never was a checkpoint
    checkpoints.save(_snapshot(10))
    assert _found(checkpoints) == (10, 10.0)


@pytest.mark.parametrize("url", PLACES, indirect=True)
def test_two_who_write_the_same_step_at_once_leave_one_that_is_whole(url: str, tmp_path: Path) -> None:
    def write() -> None:
        for step in range(1, 6):
            barrier.wait()
            _checkpoints(url, tmp_path).save(_snapshot(step), sole=False)

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _found(_checkpoints(url, tmp_path)) == (5, 5.0)


@pytest.mark.parametrize("url", ["memory", "s3"], indirect=True)
def test_what_a_killed_upload_left_is_no_checkpoint_and_goes_at_the_next_start(url: str, tmp_path: Path) -> None:
    checkpoints = _checkpoints(url, tmp_path)
    checkpoints.save(_snapshot(5))
    system, root = fsspec.core.url_to_fs(url)
    system.pipe_file(f"{root}/step-00000010-0a1b2c3d/{MODEL}", b"half a model")
    assert _found(checkpoints) == (5, 5.0)
    checkpoints.sweep()
    assert [name for name in _files(url, tmp_path)[1] if "step-00000010" in name] == []
    assert _found(checkpoints) == (5, 5.0)


class _Failing:
    """A store whose n-th opening for writing fails."""

    def __init__(self, system: Any, number: int) -> None:
        self._system, self._left = system, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def open(self, path: str, mode: str) -> Any:
        if mode == "wb":
            self._left -= 1
            if self._left == 0:
                raise ConnectionResetError("the store has gone")
        return self._system.open(path, mode)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_upload_that_fails_half_way_is_told_and_leaves_the_one_before(tmp_path: Path, number: int) -> None:
    url = f"memory://{tmp_path.name}/run"
    _checkpoints(url, tmp_path).save(_snapshot(5))
    system, root = fsspec.core.url_to_fs(url)
    failing = Checkpoints(UrlShelf(_Failing(system, number), root, url, RECORD), "k", {"seed": 1}, 2)
    with pytest.raises(WorldError, match=r"step-00000010-\w+: the store has gone; .*training.checkpoint_url"):
        failing.save(_snapshot(10))
    assert len(_files(url, tmp_path)[1]) == 3
    assert _found(_checkpoints(url, tmp_path)) == (5, 5.0)


def test_a_store_that_does_not_answer_is_no_damage(tmp_path: Path) -> None:
    """Going back to an older checkpoint, or to none, would cost what is safe."""

    class _Silent(_Failing):
        def open(self, path: str, mode: str) -> Any:
            raise ConnectionResetError("no answer")

    url = f"memory://{tmp_path.name}/run"
    _checkpoints(url, tmp_path).save(_snapshot(5))
    system, root = fsspec.core.url_to_fs(url)
    with pytest.raises(WorldError, match="no answer"):
        Checkpoints(UrlShelf(_Silent(system, 0), root, url, RECORD), "k", {}, 2).newest(pytest.fail)


def test_a_file_url_is_a_folder_and_an_unknown_one_is_refused_in_one_line(tmp_path: Path) -> None:
    assert isinstance(shelf_of(f"file://{tmp_path}", tmp_path / "unused", RECORD), FolderShelf)
    with pytest.raises(UsageError, match="training.checkpoint_url = 'gopher://x'") as caught:
        shelf_of("gopher://x", tmp_path, RECORD)
    assert "\n" not in str(caught.value)


def test_a_bucket_that_does_not_exist_is_told_before_training_and_is_not_made(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="s3://nobodys-bucket/runs: ") as caught:
        _checkpoints("s3://nobodys-bucket/runs", tmp_path).require_usable()
    assert "\n" not in str(caught.value)


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1," + os.environ.get("NO_PROXY", ""))
    yield
    fsspec.filesystem("memory").store.clear()
