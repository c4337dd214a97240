"""Finished seeds survive a kill at any point, with the model of the best of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from korbert.benchmarks.seeds import FinishedSeeds


def record(seed: int, *validation: float) -> dict[str, object]:
    return {"seed": seed, "validation": list(validation), "test": 0.5}


def saver(text: str) -> Callable[[Path], None]:
    """Writes a model of one file."""

    def save(folder: Path) -> None:
        folder.mkdir()
        (folder / "weights").write_text(text)

    return save


def models(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("model"))


def test_the_best_on_validation_is_kept_and_only_that(tmp_path: Path) -> None:
    finished = FinishedSeeds(tmp_path, (1, 2, 3))
    finished.add(record(1, 0.6, 0.7), saver("one"))
    finished.add(record(2, 0.8, 0.5), saver("two"))
    finished.add(record(3, 0.8, 0.8), saver("three"))
    assert finished.best == 2
    assert models(tmp_path) == ["model-2"]
    finished.publish_model()
    assert models(tmp_path) == ["model"]
    assert (finished.model / "weights").read_text() == "two"


def test_what_an_earlier_attempt_finished_is_taken_up(tmp_path: Path) -> None:
    FinishedSeeds(tmp_path, (1, 2)).add(record(1, 0.6), saver("one"))
    again = FinishedSeeds(tmp_path, (1, 2))
    assert again.records == {1: record(1, 0.6)}
    again.add(record(2, 0.5), saver("two"))
    again.publish_model()
    assert (again.model / "weights").read_text() == "one"


def test_a_kill_between_model_and_record_leaves_the_seed_to_run_again(tmp_path: Path) -> None:
    FinishedSeeds(tmp_path, (1, 2)).add(record(1, 0.6), saver("one"))
    saver("half a seed")(tmp_path / "model-2")
    again = FinishedSeeds(tmp_path, (1, 2))
    assert list(again.records) == [1]
    again.add(record(2, 0.5), saver("two"))
    again.publish_model()
    assert (again.model / "weights").read_text() == "one"
    assert models(tmp_path) == ["model"]


def test_a_kill_after_the_model_got_its_name_loses_nothing(tmp_path: Path) -> None:
    finished = FinishedSeeds(tmp_path, (1,))
    finished.add(record(1, 0.6), saver("one"))
    finished.publish_model()
    again = FinishedSeeds(tmp_path, (1,))
    again.publish_model()
    assert (again.model / "weights").read_text() == "one"


def test_a_best_seed_whose_model_is_gone_runs_again(tmp_path: Path) -> None:
    finished = FinishedSeeds(tmp_path, (1, 2))
    finished.add(record(1, 0.6), saver("one"))
    finished.add(record(2, 0.9), saver("two"))
    (tmp_path / "model-2" / "weights").unlink()
    (tmp_path / "model-2").rmdir()
    assert 2 not in FinishedSeeds(tmp_path, (1, 2)).records


def test_a_model_that_cannot_be_saved_leaves_no_record(tmp_path: Path) -> None:
    def full_disk(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        FinishedSeeds(tmp_path, (1,)).add(record(1, 0.6), full_disk)
    assert FinishedSeeds(tmp_path, (1,)).records == {}
