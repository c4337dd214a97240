"""Stage `pretrain`: starts torchrun's elastic workers, watches them, and publishes what they have trained."""

from __future__ import annotations

import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from korbert import chain
from korbert.chain import Workspace
from korbert.config import Config
from korbert.data.audit import AuditReport, audit
from korbert.data.shards import verify
from korbert.errors import UsageError, WorldError
from korbert.progress import meter
from korbert.storage import Draft, Manifest, fresh, resumable, write_json
from korbert.training import preflight, recovery
from korbert.training.agents import LocalAgent, next_logs
from korbert.training.course import Course, course
from korbert.training.locks import STOPPING, driver_lock, sole
from korbert.training.signs import DRIVER, FAULT, HANG, STORE, USAGE, ProgressFile
from korbert.training.watchdog import Overseer
from korbert.training.worker import beats_of, failures

_POLL = 0.2
_TRANSIENT = ("logs/", "wandb/", "checkpoints/")


def run(config: Config, workspace: Workspace) -> Manifest:
    """Trains to the last step, resuming what an earlier attempt left, audits the order and publishes the weights.

    SIGTERM or SIGINT lets the workers finish their step and write a checkpoint, then ends this process (143, 130).

    Raises:
        UsageError: when tokens are missing or wrong, or a checkpoint belongs to another training.
        WorldError: when workers fail for good, the audit is not clean, or another training is at work here.
    """
    plan = chain.plan(config, workspace, "pretrain")
    if manifest := fresh(plan):
        return manifest
    preflight.check(config, workspace, _warn)
    # Once, here: a flipped bit must not cost days of training, and every worker of a machine would read the same bytes.
    verify(workspace.path("tokens"))
    training = course(config, workspace)
    with sole(workspace, config.training.grace_seconds):
        workspace.save(config)
        with resumable(plan) as draft:
            draft.transient = lambda name: name.startswith(_TRANSIENT)
            training.checkpoints.require_usable()
            _train(training, workspace)
            _conclude(draft, training)
            draft.licences = workspace.manifest("tokens").licences
    return workspace.manifest("pretrain")


def _train(training: Course, workspace: Workspace) -> None:
    """Launches until the last step is done; where the store is lost, once more, up to `training.max_restarts` times."""
    training.logs.mkdir(parents=True, exist_ok=True)
    progress, started = training.logs / "progress.json", time.time()
    progress.unlink(missing_ok=True)
    left = training.config.training.max_restarts
    with _Signals(driver_lock(workspace)) as signals:
        while True:
            agent = LocalAgent(training.config, workspace, next_logs(training.logs), progress)
            with signals.passed_to(agent):
                _watch(agent, training, ProgressFile(progress))
            if agent.process.returncode == 0:
                return
            if signals.caught:
                raise SystemExit(128 + signals.caught[0])
            if not agent.store_lost or left == 0:
                raise _failure(workspace, agent.log, started)
            failures(workspace).add(DRIVER, STORE, f"the rendezvous' store was lost (log: {agent.logs / 'store.log'})")
            left -= 1


def _watch(agent: LocalAgent, training: Course, progress: ProgressFile) -> None:
    """Shows the workers' progress until torchrun ends, and kills workers of which none is left to watch the others."""
    overseer = Overseer(beats_of(training), training.config.training.hang_timeout)
    while (first := progress.read()) is None:
        if agent.ended():
            return
        time.sleep(_POLL)
    with meter("pretrain", training.steps, done=first[0]) as shown:
        before, running = first[0], True
        while running:
            running = not agent.ended()
            if hang := overseer.look():
                failures(training.workspace).add(DRIVER, HANG, str(hang))
            step, note = progress.read() or (before, "")
            shown.advance(step - before, note)
            before = step
            time.sleep(_POLL if running else 0)


class _Signals:
    """SIGTERM and SIGINT, which go to torchrun as one SIGTERM.

    The lock file then says so, for the next run: one that follows a killed run at once need only wait.
    """

    def __init__(self, lock: Path) -> None:
        self._lock, self.caught = lock, list[int]()
        self._agent: LocalAgent | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._catch) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def passed_to(self, agent: LocalAgent) -> Iterator[None]:
        """For the length of the block, at the end of which nothing of the agent is left."""
        self._agent = agent
        try:
            if self.caught:
                agent.stop()
            yield
        finally:
            self._agent = None
            agent.kill()

    def _catch(self, number: int, _: FrameType | None) -> None:
        self._lock.write_text(STOPPING)
        self.caught.append(number)
        if self._agent:
            self._agent.stop()


def _failure(workspace: Workspace, log: Path, since: float) -> Exception:
    """The error to raise when torchrun has given up."""
    cause = failures(workspace).cause(since)
    if cause and cause.kind == USAGE:
        return UsageError(cause.message)
    if cause and cause.rank == DRIVER:
        return WorldError(f"training: {cause.message}, more often than training.max_restarts allows")
    if cause and cause.kind != FAULT:
        return WorldError(f"training worker {cause.rank}: {cause.message} (log: {cause.log})")
    ended = re.findall(r"rank\s*:\s*(\d+).*?exitcode\s*:\s*(-?\d+)", log.read_text(errors="replace"), re.DOTALL)
    if ended and int(ended[-1][1]) < 0:
        rank, number = int(ended[-1][0]), -int(ended[-1][1])
        return WorldError(
            f"training worker {rank}: ended by {signal.Signals(number).name}, more often than "
            f"training.max_restarts allows; SIGKILL often means memory ran out (log: {log})"
        )
    if cause:
        return WorldError(f"training worker {cause.rank}: {cause.message} (log: {cause.log})")
    return WorldError(f"torchrun: ended without a word of its workers (log: {log})")


def _conclude(draft: Draft, training: Course) -> None:
    """Audits, and writes the summary.

    Raises:
        WorldError: when the audit finds a sample lost, repeated or out of its place.
    """
    report = audit(training.audit, training.order, len(training.samples), training.steps)
    if not report.clean or report.steps != training.steps:
        raise WorldError(
            f"{training.audit}: {report.lost} samples lost, {report.repeated} repeated, {report.misplaced} misplaced "
            f"in {report.steps} of {training.steps} steps; move {training.folder} away and train again"
        )
    summary = summarize(training, report)
    write_json(draft.path / "summary.json", summary)
    draft.counts = {k: v for k, v in summary.items() if k not in ("audit", "held_out", "recovered", "logs")}


def summarize(training: Course, report: AuditReport) -> dict[str, Any]:
    """What the training came to: counts, speed, last losses in nats, the last evaluation, recoveries and the audit."""
    lines, evaluations = training.metrics.windows(), training.metrics.held_out()
    last, shares = lines[-1], [line["mfu"] for line in lines if "mfu" in line]
    return {
        "steps": last["step"],
        "samples": last["samples"],
        "tokens": last["tokens"],
        "seconds": last["seconds"],
        "tokens_per_second": round(last["tokens"] / max(1e-9, last["seconds"]), 1),
        **{name: last[name] for name in ("mlm", "sop", "loss", "mlm_accuracy", "sop_accuracy")},
        "unigram_entropy": training.store.unigram_entropy,
        "mfu": round(sum(shares) / len(shares), 4) if shares else None,
        "restarts": report.attempts - 1,
        **asdict(training.journal.recoveries()),
        "recovered": recovery.recoveries(training.journal.read()),
        "logs": sorted(f"logs/{path.name}" for path in training.logs.glob("launch-*")),
        "held_out": evaluations[-1]["held_out"] if evaluations else None,
        "audit": report.as_dict(),
    }


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
