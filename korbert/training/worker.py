"""A worker process: joins the others, trains, stops when asked, and says why it failed."""

from __future__ import annotations

import fcntl
import os
import sys
import time
import traceback
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from korbert.chain import Workspace
from korbert.errors import UsageError, WorldError
from korbert.progress import meter
from korbert.storage import claim, read_manifest
from korbert.training.beats import Beats
from korbert.training.course import Course, course
from korbert.training.device import accelerator
from korbert.training.process_group import Group, World, patience, process_group, world_of
from korbert.training.recovery import RECOVERED, Loss, loss
from korbert.training.signs import FAULT, HANG, USAGE, FailureFile, ProgressFile
from korbert.training.signs import STOPPED as STOPPED_ALONE
from korbert.training.signs import WORLD as OF_THE_WORLD
from korbert.training.stopping import STOPPED, Stop
from korbert.training.trainer import Report, Trainer
from korbert.training.watchdog import Hang, Watchdog, dump_stacks, killed

# Set by the driver, which then shows the progress itself.
PROGRESS_VARIABLE = "KORBERT_PROGRESS_FILE"


def workers_lock(workspace: Workspace) -> Path:
    """The file that every worker holds a shared lock on while it lives."""
    return workspace.root / ".pretrain.workers.lock"


def failures(workspace: Workspace) -> FailureFile:
    """Where workers note why they failed."""
    return FailureFile(workspace.path("pretrain") / "logs" / "failures.jsonl")


def work(root: Path) -> int:
    """Trains in the workspace `root` by torchrun's environment; answers the exit code.

    The caller should exit by it at once, without Python's own leave-taking: torch's threads may wait for a lost peer.
    """
    workspace, world = Workspace(root), world_of(os.environ)
    try:
        with _alive(workspace):
            return 0 if _train(workspace, world) else STOPPED
    except (UsageError, WorldError, OSError) as error:
        usage = isinstance(error, UsageError)
        failures(workspace).add(world.rank, USAGE if usage else OF_THE_WORLD, str(error))
        print(error, file=sys.stderr)
        return 2 if usage else 1
    except Exception as error:
        failures(workspace).add(world.rank, FAULT, f"{type(error).__name__}: {error}".splitlines()[0])
        traceback.print_exc()
        return 1


def beats_of(training: Course) -> Beats:
    """The workers' signs of life."""
    return Beats(training.logs / "beats")


def _train(workspace: Workspace, world: World) -> bool:
    config = workspace.load()
    stop = Stop(config.training.grace_seconds)
    with stop.listening():
        training = course(config, workspace)
        torch.set_num_threads(config.training.threads)
        device = accelerator(config.training, world.local_rank)
        with process_group(world, device, patience(config.training.hang_timeout)) as group:
            lost, name = _met(training, world, group)
            trainer = Trainer(training, world, device, group, _warn)
            with (
                _watched(trainer, training, (name, world.rank, world.size), stop),
                _reporting(training, world, trainer.progress.step) as report,
            ):
                return trainer.run(_noting(report, training, lost), stop.asked)


def _met(training: Course, world: World, group: Group) -> tuple[Loss | None, str]:
    """What rank 0 finds of the attempt before, and the name of this start of the workers, for all."""
    lost: Loss | None = None
    if world.leads:
        if PROGRESS_VARIABLE not in os.environ and read_manifest(training.folder) is None:
            claim(training.plan)  # as the driver does where there is one
        training.logs.mkdir(parents=True, exist_ok=True)
        told = failures(training.workspace).read()
        lost = loss(training.journal.read(), told, beats_of(training).newest())
    # Only now may the others beat: the last signs of those before have been read.
    return lost, group.from_leader(uuid.uuid4().hex)


@contextmanager
def _watched(trainer: Trainer, training: Course, own: tuple[str, int, int], stop: Stop) -> Iterator[None]:
    """Beats and watches for the length of the block; saves what a stop cannot wait for."""
    rank = own[1]

    def last_resort() -> None:
        saved = trainer.save_last_step("SIGTERM, and the step does not end")
        failures(training.workspace).add(rank, STOPPED_ALONE, f"stopped in the midst of a step (saved: {saved})")

    def act(hang: Hang) -> None:
        _warn(f"training hangs: {hang}; stacks of this rank follow, then it saves its last step and ends")
        dump_stacks()
        failures(training.workspace).add(rank, HANG, str(hang))
        trainer.save_last_step(str(hang))
        for suspect in hang.suspects:
            if suspect.rank != rank:
                killed(suspect)
        # The main thread waits for a peer that will never come.
        os._exit(1)

    stop.last_resort = last_resort
    dog = Watchdog(
        beats_of(training), own, training.config.training.hang_timeout, lambda: trainer.progress.step, act
    )  # fmt: skip
    dog.start()
    try:
        yield
    finally:
        dog.end()


def _noting(report: Report, training: Course, lost: Loss | None) -> Report:
    """Notes in the journal how long it took from a loss to the first step completed after it."""
    waiting: Loss | None = lost
    begun: int | None = None

    def told(step: int, note: str) -> None:
        nonlocal waiting, begun
        begun = step if begun is None else begun
        if waiting and step > begun:
            seconds = round(max(0.0, time.time() - waiting.time), 3)
            attempt = max(event["attempt"] for event in training.journal.read())
            training.journal.note(RECOVERED, attempt, step, cause=waiting.cause, seconds=seconds)
            waiting = None
        report(step, note)

    return told


@contextmanager
def _alive(workspace: Workspace) -> Iterator[None]:
    with workers_lock(workspace).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield


@contextmanager
def _reporting(training: Course, world: World, done: int) -> Iterator[Report]:
    """Rank 0 shows the progress, or leaves that to the driver that asks for it."""
    if path := os.environ.get(PROGRESS_VARIABLE):
        yield ProgressFile(Path(path)).write if world.leads else lambda *_: None
        return
    with meter("pretrain", training.steps, done=done, quiet=not world.leads) as shown:
        before = done

        def report(step: int, note: str) -> None:
            nonlocal before
            shown.advance(step - before, note)
            before = step

        yield report


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
