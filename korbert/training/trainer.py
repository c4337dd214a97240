"""One worker's training loop.

The loss of a step is (sum of MLM over the step's masked tokens) / their number + the same for SOP over its samples,
with the counts of the whole step: neither the number of workers nor the micro-batches change it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from korbert.data.audit import AuditLog, attempts
from korbert.data.loader import StepBatch
from korbert.data.order import fold
from korbert.model.layout import Inputs
from korbert.model.pretraining import Pretraining, PretrainLosses
from korbert.storage import write_bytes
from korbert.training import optimizer
from korbert.training.average import Average
from korbert.training.checkpoint import Checkpoint, Progress
from korbert.training.course import Course
from korbert.training.curves import Curves
from korbert.training.device import Accelerator
from korbert.training.evaluation import KEY, evaluation_of
from korbert.training.feed import Feed
from korbert.training.metrics import Window, line_of, step_cost
from korbert.training.peak import peak
from korbert.training.process_group import Group, World
from korbert.training.replicas import Replicas
from korbert.training.schedule import learning_rate
from korbert.training.start import initial_model

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
        self._resume()
        self._replicas = Replicas(self.model, world, accelerator, course.config.training)
        self._feed = Feed(accelerator, store.special, course.budget)
        self._window = Window(accelerator, step_cost(course.config.model, store.vocab_size))
        self._evaluation = evaluation_of(course.config, course.workspace, world, accelerator, warn)
        self._lr, self._loss = 0.0, ""

    def _resume(self) -> None:
        """Rank 0 verifies every byte; the others read what it has chosen."""
        found = self.course.checkpoints.newest(self._warn) if self._world.leads else None
        found = self._group.from_leader((found.path, found.progress) if found else None)
        if found is None:
            return
        self.progress = found[1]
        weights, state = Checkpoint(*found).tensors()
        self.model.load_state_dict(weights)
        self._optimizer.restore(state)
        if self._average:
            self._average.restore(state)

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
        attempt = self._group.from_leader(taken[-1] + 1 if taken else 0)
        audit = AuditLog(self.course.audit, attempt, self._world.rank, self._world.size)
        self._window.peak = self._peak()
        curves = Curves(self.course, self._world, attempt, self._warn)
        self.progress = curves.open(self.progress)
        try:
            return self._loop(audit, curves, report, stop)
        finally:
            audit.close()
            curves.close()

    def _peak(self) -> float:
        """Of rank 0's device, measured while the others wait: theirs are taken to be of its kind."""
        path = self.course.logs / "peak.json"
        path.parent.mkdir(exist_ok=True)
        return float(self._group.from_leader(peak(self._accelerator, path) if self._world.leads else None))

    def _loop(self, audit: AuditLog, curves: Curves, report: Report, stop: Callable[[], bool]) -> bool:
        training, steps, begun = self.course.config.training, self.course.steps, self.progress
        report(begun.step, "")
        started = time.monotonic()
        for batch in self._window.waiting(self.course.loader(self._world).batches(begun.step, steps)):
            self._step(batch)
            audit.record(batch)
            elapsed = time.monotonic() - started
            self.progress = _advanced(self.progress, batch, begun.seconds + elapsed)
            done = self.progress.step
            if done % training.log_every == 0 or done == steps:
                self._log(batch, curves)
            started += self._evaluate(done, curves)
            stopping = self._group.any(stop())
            if done % training.checkpoint_every == 0 or done == steps or stopping:
                self._save(audit)
                curves.saved(done)
            rate = (self.progress.tokens - begun.tokens) / max(1e-9, elapsed)
            report(done, f"{rate:,.0f} tokens/s" + self._loss)
            if stopping and done < steps:
                curves.ended(done)
                return False
        self._finish()
        curves.ended(steps)
        return True

    def _step(self, batch: StepBatch) -> None:
        """One optimiser step; gradients travel between ranks once, with the last micro-batch."""
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
        self._optimizer.step(self._lr)
        if self._average:
            self._average.update(self.model, batch.step)
        self._accelerator.step_ended()
        self._window.add_step(batch, norm)

    def _backward(self, batch: StepBatch, inputs: Inputs, *, idle: bool, last: bool) -> None:
        # Ranks' gradients are averaged, the loss is a sum over ranks. A rank without rows adds nothing, but its
        # backward pass must run: the others wait for its part of the average.
        scale = 0 if idle else self._world.size

        def loss(losses: PretrainLosses) -> Tensor:
            return (losses.mlm / batch.global_masked + losses.sop / batch.global_samples) * scale

        losses = self._replicas.backward(inputs, last=last, loss=loss)
        if not idle:
            self._window.add_losses(losses)

    def _log(self, batch: StepBatch, curves: Curves) -> None:
        means = self._window.read(self._world.size, self._replicas.waited)
        line = line_of(self.progress, batch.epoch, means, self._lr)
        self._loss = f", loss {line['loss']:.3f}"
        curves.add(line)

    def _evaluate(self, done: int, curves: Curves) -> float:
        """Evaluates on held-out documents where that is due; answers the seconds it took, which are not training's."""
        began = time.monotonic()
        if self._evaluation and self._evaluation.due(done, self.course.steps):
            curves.add({"step": done, KEY: self._evaluation.measure(self.model_for_evaluation)})
        self._window.leave_out(seconds := time.monotonic() - began)
        return seconds

    def _save(self, audit: AuditLog) -> None:
        """A checkpoint, after every rank's audit lines of the steps in it are on disk."""
        audit.sync()
        self._group.barrier()
        if self._world.leads:
            state = self._optimizer.state() | (self._average.state() if self._average else {})
            self.course.checkpoints.save(self.progress, self.model.state_dict(), state)

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
