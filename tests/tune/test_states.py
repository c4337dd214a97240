"""A trial's state survives its process, and what has ended stays as it ended."""

import json
from pathlib import Path

import pytest
import torch

from tune.states import States, key_of

HISTORY = [{"epoch": 1, "validation": 0.5}]


@pytest.mark.parametrize("form", ["{}", "file://{}"], ids=["folder", "url"])
def test_a_state_comes_back_from_folders_and_urls(form: str, tmp_path: Path) -> None:
    states = States(form.format(tmp_path / "states"))
    assert states.under_way("k") is None
    states.keep("k", {"weights": torch.arange(3), "history": HISTORY})
    found = States(form.format(tmp_path / "states")).under_way("k")
    assert found is not None
    assert found["weights"].tolist() == [0, 1, 2]
    assert found["history"] == HISTORY
    assert [path.name for path in (tmp_path / "states").iterdir()] == ["k.pt"]


def test_an_ended_trial_keeps_its_first_end_and_no_weights(tmp_path: Path) -> None:
    states = States(str(tmp_path))
    states.keep("k", {"history": HISTORY})
    states.end("k", HISTORY)
    states.end("k", [*HISTORY, {"epoch": 2, "validation": 0.9}])
    assert states.ended("k") == HISTORY
    assert json.loads((tmp_path / "k.json").read_text()) == {"epochs": HISTORY}
    assert states.under_way("k") is None


def test_clearing_leaves_what_has_ended(tmp_path: Path) -> None:
    states = States(str(tmp_path))
    states.keep("a", {})
    states.end("b", HISTORY)
    (tmp_path / ".c.pt.part-1").write_bytes(b"half")
    states.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]


def test_a_key_depends_on_every_setting_and_not_on_their_order() -> None:
    assert key_of({"lr": 1e-4, "seed": 1}) == key_of({"seed": 1, "lr": 1e-4})
    assert len({key_of({"lr": lr, "seed": seed}) for lr in (1e-4, 2e-4) for seed in (1, 2)}) == 4
