"""Who hangs, judged by signs of life alone; and who ends it."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from korbert.training.beats import Beat, Beats
from korbert.training.watchdog import Clock, Hang, Overseer, Standstill, killed, moment

FIRST = Beat("g", 0, 2, 100, "one", 17, "any (process_group.py:77)", True, 1, 0.0)
SECOND = replace(FIRST, rank=1, pid=101, host="two", place="_backward (trainer.py:230)")


def _watched(judge: Standstill, beats: list[Beat], seconds: int, *, silent: int = -1, steps: int = 0) -> Hang | None:
    """What is found after so many seconds, with one look each; `silent` beats no more."""
    hang = None
    for second in range(seconds):
        beats[:] = [
            beat if beat.rank == silent else replace(beat, count=beat.count + 1, step=beat.step + steps)
            for beat in beats
        ]
        hang = judge.look(beats, 1.0 if second else 0.0) or hang
    return hang


def test_a_rank_whose_beat_stands_still_is_named_with_its_place() -> None:
    hang = _watched(Standstill(42), [FIRST, SECOND], 43, silent=1)
    assert hang is not None
    assert str(hang) == "rank 1 (pid 101 on two): no sign for 42 s, in step 17, _backward (trainer.py:230)"


def test_a_silence_shorter_than_the_timeout_is_nothing() -> None:
    judge, beats = Standstill(42), [FIRST, SECOND]
    assert _watched(judge, beats, 40, silent=1) is None
    assert _watched(judge, beats, 3, steps=1) is None
    assert _watched(judge, beats, 40, silent=1) is None


def test_a_training_that_completes_steps_never_hangs_however_long_it_lasts() -> None:
    assert _watched(Standstill(5), [FIRST, SECOND], 500, steps=1) is None


def test_a_rank_that_beats_but_neither_steps_nor_waits_for_others_is_the_one_that_hangs() -> None:
    stuck = replace(FIRST, place="append (metrics.py:112)", waiting=False)
    hang = _watched(Standstill(10), [stuck, replace(SECOND, waiting=True)], 12)
    assert hang is not None
    assert [beat.rank for beat in hang.suspects] == [0]
    assert not hang.silent
    assert "no step for 11 s, in step 17, append (metrics.py:112)" in str(hang)


def test_among_ranks_that_do_not_wait_the_one_behind_is_suspected() -> None:
    ahead, behind = replace(FIRST, waiting=False, step=18), replace(SECOND, waiting=False)
    hang = _watched(Standstill(10), [ahead, behind], 12)
    assert hang is not None
    assert [beat.rank for beat in hang.suspects] == [1]


def test_where_all_wait_nobody_is_accused() -> None:
    hang = _watched(Standstill(10), [FIRST, replace(SECOND, waiting=True)], 12)
    assert hang is not None
    assert hang.suspects == ()
    assert str(hang) == "all ranks: no step for 11 s, each waits for the others"


def test_a_new_start_of_the_workers_is_given_the_whole_timeout() -> None:
    judge, beats = Standstill(10), [FIRST, SECOND]
    assert _watched(judge, beats, 9) is None
    assert _watched(judge, [replace(beat, group="h") for beat in beats], 9) is None


def test_a_watcher_that_was_stopped_itself_has_seen_nothing_meanwhile() -> None:
    clock = Clock(0.01)
    clock._last -= 3600
    assert clock.elapsed() == 0.02


def test_short_timeouts_are_looked_after_more_often() -> None:
    assert (moment(2.0), moment(600.0), moment(0.0)) == (0.2, 1.0, 1.0)


def test_only_a_worker_of_this_machine_is_killed() -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleeper) as stranger, subprocess.Popen([*sleeper, "korbert.training"]) as worker:
        try:
            here = replace(FIRST, host=os.uname().nodename)
            assert not killed(replace(here, pid=stranger.pid))
            assert not killed(replace(here, pid=worker.pid, host="elsewhere"))
            assert stranger.poll() is worker.poll() is None
            assert killed(replace(here, pid=worker.pid))
            assert worker.wait(60) == -signal.SIGKILL
        finally:
            stranger.kill()
            worker.kill()


def test_the_driver_ends_workers_of_which_none_is_left_to_watch(tmp_path: Path) -> None:
    beats = Beats(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "korbert.training"]) as worker:
        try:
            beats.write(replace(FIRST, world=1, pid=worker.pid, host=os.uname().nodename))
            overseer = Overseer(beats, 0.5)
            while overseer.look() is None:
                assert worker.poll() is None
            assert worker.wait(60) == -signal.SIGKILL
        finally:
            worker.kill()
