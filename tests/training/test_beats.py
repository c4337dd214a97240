"""Signs of life, and what they tell of a thread's place."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from korbert.chain import Workspace
from korbert.config import Config
from korbert.training.beats import Beat, Beats, place_of
from korbert.training.course import course
from korbert.training.device import CpuAccelerator
from korbert.training.process_group import Group, World
from korbert.training.trainer import Trainer

BEAT = Beat("g", 0, 2, 100, "one", 17, "step", False, 1, 50.0)


def test_the_last_beat_of_each_rank_is_read(tmp_path: Path) -> None:
    beats = Beats(tmp_path / "beats")
    assert beats.read() == beats.newest() == []
    assert beats.write(replace(BEAT, rank=1))
    assert beats.write(BEAT)
    assert beats.write(replace(BEAT, count=2))
    assert beats.read("g") == [replace(BEAT, count=2), replace(BEAT, rank=1)]
    assert sorted(path.name for path in (tmp_path / "beats").iterdir()) == ["rank-0.json", "rank-1.json"]


def test_beats_of_an_earlier_start_are_history(tmp_path: Path) -> None:
    beats = Beats(tmp_path)
    beats.write(replace(BEAT, rank=1, group="before"))
    beats.write(replace(BEAT, time=60.0))
    assert [beat.rank for beat in beats.newest()] == [0]
    assert [beat.rank for beat in beats.read("before")] == [1]


def test_a_torn_file_and_a_full_disk_are_no_beat_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "rank-0.json").write_text('{"group": "g", "ra')
    assert Beats(tmp_path).read() == []
    (tmp_path / "file").write_text("")
    assert not Beats(tmp_path / "file" / "beats").write(BEAT)


def test_a_place_is_the_innermost_function_of_ours(make_workspace: Callable[..., tuple[Config, Workspace]]) -> None:
    config, workspace = make_workspace("training.max_steps=3")
    trainer = Trainer(course(config, workspace), World(), CpuAccelerator(), Group(World(), None), print)
    found: list[tuple[str, bool]] = []

    def look() -> bool:
        found.append(place_of(threading.get_ident()))
        return False

    trainer.run(lambda *_: None, look)
    assert found[0][0].startswith("_loop (trainer.py:")
    assert not found[0][1]


def test_a_thread_in_a_backward_pass_may_wait_for_other_ranks() -> None:
    within, done = threading.Event(), threading.Event()

    def differentiated() -> None:
        weight = torch.ones(1, requires_grad=True)
        weight.register_hook(lambda _: (within.set(), done.wait(60))[0])
        (2 * weight).backward()

    thread = threading.Thread(target=differentiated)
    thread.start()
    assert within.wait(60)
    assert place_of(thread.ident or 0) == ("outside of korbert", True)
    done.set()
    thread.join()
