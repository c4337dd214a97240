"""One worker's training loop.

The loss of a step is (sum of MLM over the step's masked tokens) / their number + the same for SOP over its samples,
with the counts of the whole step: neither the number of workers nor the micro-batches change it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from korbert.data.audit import AuditLog, attempts
from korbert.data.loader import StepBatch
from korbert.data.order import fold
from korbert.errors import UsageError, WorldError
from korbert.model.layout import Inputs
from korbert.model.pretraining import Pretraining, PretrainLosses
from korbert.storage import write_bytes
from korbert.training import optimizer
from korbert.training.average import Average
from korbert.training.checkpoint import Checkpoint, Progress, Snapshot, Standing
from korbert.training.course import Course
from korbert.training.curves import Curves
from korbert.training.device import Accelerator
from korbert.training.evaluation import KEY, evaluation_of
from korbert.training.feed import Feed
from korbert.training.journal import SAVED
from korbert.training.metrics import Batches, Window, line_of, step_cost
from korbert.training.peak import peak
from korbert.training.process_group import Group, World
from korbert.training.replicas import Replicas
from korbert.training.saving import Copier, Writer
from korbert.training.schedule import learning_rate
from korbert.training.start import initial_model
from korbert.training.survival import Survivor, Wholeness

Report = Callable[[int, str], None]
Warn = Callable[[str], None]


class Trainer:
    """Trains from the newest good checkpoint to the last step."""

    def __init__(self, course: Course, world: World, accelerator: Accelerator, group: Group, warn: Warn) -> None:
        """Builds model and optimiser and takes up the newest good checkpoint; all ranks must call.

        Raises:
            UsageError: when the checkpoint belongs to another training.
        """
        self.course, self._world, self._group, self._warn = course, world, group, warn
        self._accelerator, device = accelerator, accelerator.device
        accelerator.seed(course.config.seed)
        store = course.store
        self.model = initial_model(course.config, store).to(device)
        self._optimizer = optimizer.build(self.model, course.config.training, device)
        decay = course.config.training.ema
        self._average = Average(self.model, decay) if decay else None
        self.progress = Progress()
        self._found = self._resume()
        self._replicas = Replicas(self.model, world, accelerator, course.config.training, warn)
        self._feed = Feed(accelerator, store.special, course.budget)
        self._window = Window(accelerator, step_cost(course.config.model, store.vocab_size))
        self._evaluation = evaluation_of(course.config, course.workspace, world, accelerator, warn)
        self._lr, self._loss = 0.0, ""
        self._attempt = 0
        copier = Copier(self._state, accelerator)
        self._copier, self._writer = copier, Writer(self._write)
        self._wholeness = Wholeness(accelerator.stamp, self.progress)
        lock = course.logs / "last-step.lock"
        self._survivor = Survivor(self._wholeness, copier, self._writer, course.checkpoints, lock, warn)

    def _resume(self) -> Standing | None:
        """Rank 0 verifies every byte; the others read what it has chosen."""
        checkpoints = self.course.checkpoints
        found: Checkpoint | None = None
        if self._world.leads:
            checkpoints.sweep()
            found = checkpoints.newest(self._warn)
            self._require_history(found)
        found = self._group.from_leader(found)
        if found is None:
            return None
        self.progress = found.progress
        weights, state = checkpoints.tensors(found)
        self.model.load_state_dict(weights)
        self._optimizer.restore(state)
        if self._average:
            self._average.restore(state)
        return found.standing

    def _require_history(self, found: Checkpoint | None) -> None:
        """A checkpoint elsewhere outlives a workspace that is lost; the proof of what it was trained on does not."""
        if found and found.progress.step and not attempts(self.course.audit):
            raise UsageError(
                f"training.checkpoint_url = {self.course.config.training.checkpoint_url!r}: {found.name} stands there, "
                f"but {self.course.audit} does not tell what it was trained on; bring that workspace back, or name "
                "another place"
            )

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        return self.model.state_dict(), self._optimizer.state() | (self._average.state() if self._average else {})

    @property
    def model_for_evaluation(self) -> Pretraining:
        """The model whose weights are evaluated and exported: the moving average, where there is one."""
        return self._average.model if self._average else self.model

    def run(self, report: Report, stop: Callable[[], bool]) -> bool:
        """Trains until the last step, or until `stop` answers true on any rank: then the step is finished and saved.

        Args:
            report: called with the steps done and a note for people.
            stop: asked after every step.

        Returns:
            Whether training is complete.

        Raises:
            WorldError: when training diverges or a checkpoint cannot be written.
        """
        self.model.train()
        taken = attempts(self.course.audit)
        self._attempt = self._group.from_leader(taken[-1] + 1 if taken else 0)
        audit = AuditLog(self.course.audit, self._attempt, self._world.rank, self._world.size)
        self._window.peak = self._peak()
        curves = Curves(self.course, self._world, self._attempt, self._warn)
        self._open(curves)
        self._survivor.watch(self.progress.step, self._saved, self._outdated)
        try:
            with closing(self._batches()) as batches, self.keeping_last_step():
                return self._loop(batches, audit, curves, report, stop)
        finally:
            audit.close()
            curves.close()

    def keeping_last_step(self) -> AbstractContextManager[None]:
        """Saves the last complete step when the block ends by a fault, as the loss of a peer is one."""
        return self._survivor.keeping()

    def save_last_step(self, reason: str) -> bool:
        """Saves the last complete step, once, unless a checkpoint of it is there; from any thread, and while the main
        thread hangs in a collective. Never raises. Answers whether the step is safe now."""
        return self._survivor.save(reason)

    def _open(self, curves: Curves) -> None:
        """Takes up the curves. What a lost rank 0 did not write of the checkpoint's step is written now."""
        progress = curves.open(self.progress)
        self.progress = replace(progress, run_id=self._group.from_leader(progress.run_id))
        line = self._found.line if self._found else None
        if line and self._world.leads and not self._told("windows", line["step"]):
            curves.add(dict(line))

    def _told(self, kind: str, step: int) -> bool:
        """Whether the metrics hold a line of a kind after a step."""
        metrics = self.course.metrics
        return metrics.path.exists() and any(line["step"] == step for line in getattr(metrics, kind)())

    def _outdated(self) -> bool:
        return attempts(self.course.audit)[-1] > self._attempt

    def _saved(self, step: int) -> None:
        self.course.journal.note(SAVED, self._attempt, step)

    def _peak(self) -> float:
        """Of rank 0's device, measured while the others wait: theirs are taken to be of its kind."""
        path = self.course.logs / "peak.json"
        path.parent.mkdir(exist_ok=True)
        return float(self._group.from_leader(peak(self._accelerator, path) if self._world.leads else None))

    def _batches(self) -> Batches:
        """The steps that are left, made beside the training until they are closed."""
        loader = self.course.loader(self._world)
        return self._window.waiting(loader.batches(self.progress.step, self.course.steps))

    def _loop(
        self, batches: Batches, audit: AuditLog, curves: Curves, report: Report, stop: Callable[[], bool]
    ) -> bool:
        training, steps, begun = self.course.config.training, self.course.steps, self.progress
        report(begun.step, "")
        self._evaluate_missed(curves)
        started = time.monotonic()
        for batch in batches:
            # On its way to the disk before the gradients leave: a step that is complete anywhere has all ranks' lines.
            audit.record(batch)
            self._step(batch, curves, begun.seconds - started)
            done = self.progress.step
            started += self._evaluate(done, curves)
            stopping = self._group.any(stop() or self._writer.failed)
            ends = stopping or done == steps
            if ends or done % training.checkpoint_every == 0:
                self._save(audit, wait=ends)
            rate = (self.progress.tokens - begun.tokens) / max(1e-9, self.progress.seconds - begun.seconds)
            report(done, f"{rate:,.0f} tokens/s" + self._loss)
            if stopping and done < steps:
                curves.ended(done)
                return False
        self._finish()
        curves.ended(steps)
        return True

    def _step(self, batch: StepBatch, curves: Curves, before: float) -> None:
        """One optimiser step; gradients travel between ranks once, with the last micro-batch.

        Seconds of training are the monotonic clock's and `before`.
        """
        config = self.course.config
        self._lr = learning_rate(
            batch.step,
            steps=self.course.steps,
            peak=config.training.lr,
            warmup=config.training.warmup,
            kind=config.training.schedule,
            decay=config.training.decay,
        )
        # Dropout by step and rank, so that a resumed training draws what an undisturbed one would.
        self._accelerator.seed(int(fold(config.seed, batch.step, self._world.rank)[0] >> np.uint64(1)))
        last = len(batch.micro_batches) - 1
        for number, inputs in enumerate(self._feed(batch)):
            self._backward(batch, inputs, idle=batch.micro_batches[number] is None, last=number == last)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.training.clip or float("inf"))
        self._window.add_step(batch, norm)
        progress = _advanced(self.progress, batch, before + time.monotonic())
        # All that needs the other ranks comes before the weights change: the step is then complete on its own.
        line = self._line(batch, progress)
        with self._wholeness.changing(Standing(progress, line)):
            self._optimizer.step(self._lr)
            if self._average:
                self._average.update(self.model, batch.step)
            self._accelerator.step_ended()
            self.progress = progress
        if line:
            curves.add(line)

    def _backward(self, batch: StepBatch, inputs: Inputs, *, idle: bool, last: bool) -> None:
        # Ranks' gradients are averaged, the loss is a sum over ranks. A rank without rows adds nothing, but its
        # backward pass must run: the others wait for its part of the average.
        scale = 0 if idle else self._world.size

        def loss(losses: PretrainLosses) -> Tensor:
            return (losses.mlm / batch.global_masked + losses.sop / batch.global_samples) * scale

        losses = self._replicas.backward(inputs, last=last, loss=loss)
        if not idle:
            self._window.add_losses(losses)

    def _line(self, batch: StepBatch, progress: Progress) -> dict[str, Any] | None:
        """The line of metrics, where one is due with this step."""
        if progress.step % self.course.config.training.log_every and progress.step != self.course.steps:
            return None
        means = self._window.read(self._world.size, self._replicas.waited, self._replicas.recompiles)
        line = line_of(progress, batch.epoch, means, self._lr)
        self._loss = f", loss {line['loss']:.3f}"
        return line

    def _evaluate(self, done: int, curves: Curves) -> float:
        """Evaluates on held-out documents where that is due; answers the seconds it took, which are not training's."""
        began = time.monotonic()
        if self._evaluation and self._evaluation.due(done, self.course.steps):
            curves.add({"step": done, KEY: self._evaluation.measure(self.model_for_evaluation)})
        self._window.leave_out(seconds := time.monotonic() - began)
        return seconds

    def _evaluate_missed(self, curves: Curves) -> None:
        """The evaluation after the checkpoint's step, where the attempt that made it was lost before it had one."""
        step = self.progress.step
        missed = self._world.leads and step > 0 and not self._told("held_out", step)
        if self._group.from_leader(missed):
            self._evaluate(step, curves)

    def _save(self, audit: AuditLog, *, wait: bool) -> None:
        """A checkpoint, after every rank's audit lines of the steps in it are on disk; it is written while training
        goes on, or before this returns where that should `wait`.

        Raises:
            WorldError: on every rank, when this write or the one before could not be done.
        """
        began = time.monotonic()
        audit.sync()
        self._group.barrier()
        if self._world.leads:
            standing = Standing(self.progress)
            self._writer.submit(lambda: self._copier.begin(standing))
            if wait:
                self._writer.settle()
            self._window.saved(time.monotonic() - began)
        if wait and (failure := self._group.from_leader(self._writer.failure)):
            raise WorldError(failure)

    def _write(self, snapshot: Snapshot) -> None:
        self.course.checkpoints.save(snapshot)
        self._saved(snapshot.standing.progress.step)

    def _finish(self) -> None:
        if self._world.leads:
            weights = {
                name: tensor.cpu().contiguous() for name, tensor in self.model_for_evaluation.state_dict().items()
            }
            write_bytes(self.course.weights, save(weights, metadata={"format": "pt"}))


def _advanced(progress: Progress, batch: StepBatch, seconds: float) -> Progress:
    return replace(
        progress,
        step=batch.step + 1,
        samples=progress.samples + batch.global_samples,
        tokens=progress.tokens + batch.global_tokens,
        seconds=seconds,
    )
