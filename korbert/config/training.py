"""Section `training`."""

from __future__ import annotations

from dataclasses import dataclass

from korbert.config.rules import require


@dataclass(frozen=True)
class TrainingConfig:
    """Pre-training: batch, optimiser, schedule, checkpoints, processes."""

    start: str = ""
    """Folder of a model to start from, as transformers or stage export wrote it, of the shape that `model` says and
    the tokens' vocabulary; heads that it lacks are drawn by the seed. Empty: all weights are."""
    epochs: int = 1
    """Passes over all samples."""
    max_steps: int = 0
    """Stop after so many optimiser steps even if `epochs` are not done; 0: no such limit."""
    global_batch: int = 256
    """Samples an optimiser step over all workers, whatever their number (after `batch_ramp`)."""
    row_tokens: int = 512
    """Tokens a packed row at most; several samples share a row without seeing each other."""
    rows_per_micro_batch: int = 8
    """Packed rows a forward and backward pass: memory against speed, no effect on the result."""
    batch_ramp: float = 0.0
    """Share of all steps, from the first on, in which the batch grows to `global_batch`; 0: it is constant."""
    batch_start: int = 0
    """With `batch_ramp`: samples of the first steps (ModernBERT: a sixth of the full batch)."""
    short_epochs: int = 0
    """First epochs, for which the corpus is cut into samples of at most `short_tokens` (BERT: 90 % of the steps): a
    sample's attention costs by its square; 0: none."""
    short_tokens: int = 128
    """With `short_epochs`: tokens of their samples at most (BERT: 128)."""
    optimizer: str = "adamw"
    """adamw; lamb (layerwise rates, for batches of thousands); muon (orthogonalised steps for the matrices of the
    layers, adamw for all else, at the same `lr` and `weight_decay`)."""
    lr: float = 1e-4
    """Peak learning rate (BERT: 1e-4; LAMB's are some ten times AdamW's)."""
    warmup: float = 0.05
    """Share of all steps in which the learning rate rises from 0."""
    schedule: str = "linear"
    """After the warm-up: linear or cosine (down to 0), constant, or wsd (constant, then down to 0 over `decay`)."""
    decay: float = 0.1
    """wsd: share of all steps, the last ones, in which the learning rate falls (MiniCPM, Hu et al. 2024: 0.1)."""
    weight_decay: float = 0.01
    """Decoupled weight decay of matrices; biases and norms have none (BERT: 0.01)."""
    beta2: float = 0.98
    """Second moment decay of adamw and lamb."""
    ema: float = 0.0
    """Decay a step of a moving average of the weights, which is evaluated and exported in their place (0.999 averages
    the last thousand steps); 0: none."""
    clip: float = 1.0
    """Greatest gradient norm; 0: no clipping."""
    workers: int = 2
    """Training processes on this machine, as torchrun's --nproc-per-node."""
    max_restarts: int = 3
    """How often torchrun starts the workers again after one is lost."""
    hang_timeout: float = 600.0
    """Seconds without a completed step on any rank after which the one that stands still is named and killed: more than
    the longest evaluation or compilation takes; 0: workers are never watched."""
    grace_seconds: float = 30.0
    """Seconds from SIGTERM to SIGKILL, as Kubernetes' terminationGracePeriodSeconds (30): in the first half a worker
    waits for the step's end, in the second it saves the last complete step without its peers."""
    threads: int = 1
    """CPU threads a worker; no meaning on GPU."""
    device: str = "auto"
    """auto (CUDA where there is some, else a TPU, else the CPU), cpu, cuda or tpu."""
    precision: str = "auto"
    """Of matrix products, weights stay fp32: auto (bf16 on TPU and on CUDA from compute capability 8.0, fp32 else),
    fp32 or bf16."""
    tf32: bool = False
    """Products that stay fp32 on CUDA by TF32's 10 mantissa bits: faster, less exact."""
    communication: str = "auto"
    """Gradients between workers: auto (as the precision), fp32 or bf16 (half the bytes)."""
    static_shapes: bool = False
    """Fill every micro-batch to the same sizes: what a TPU and compiled steps want; slower on CPU."""
    compile: bool = False
    """Forward and backward passes as one graph by torch.compile; wants `static_shapes`, and a C++ compiler on the
    machine. Another rounding, and other draws of dropout; a minute of compiling at the start."""
    checkpoint_every: int = 100
    """Optimiser steps between two checkpoints; the last step always makes one."""
    checkpoint_url: str = ""
    """Where checkpoints lie: an fsspec URL (s3://bucket/name, gs://, file://) that every worker reaches and no other
    training uses; empty: the artefact's folder."""
    keep_checkpoints: int = 2
    """Newest checkpoints kept on disk."""
    log_every: int = 10
    """Optimiser steps between two lines of metrics."""
    evaluate_every: int = 0
    """Optimiser steps between two evaluations on held-out documents; 0: only after the last step, which always has one
    where documents are held out."""
    evaluate_samples: int = 1024
    """Held-out samples an evaluation looks at, drawn once for all; 0: nothing is evaluated."""

    def __post_init__(self) -> None:
        for name in (
            "epochs", "global_batch", "row_tokens", "rows_per_micro_batch", "workers", "threads",
            "checkpoint_every", "keep_checkpoints", "log_every",
        ):  # fmt: skip
            require(getattr(self, name) >= 1, f"training.{name}", getattr(self, name), "must be at least 1")
        for name in ("max_steps", "max_restarts", "hang_timeout", "evaluate_every", "evaluate_samples"):
            require(getattr(self, name) >= 0, f"training.{name}", getattr(self, name), "must be 0 or more")
        url = self.checkpoint_url
        rule = "must be a URL, as s3://bucket/name or file:///folder, or empty"
        require(not url or "://" in url, "training.checkpoint_url", url, rule)
        require(self.grace_seconds > 0, "training.grace_seconds", self.grace_seconds, "must be more than 0")
        idle = f"must not pass training.global_batch = {self.global_batch}: a worker without a sample only waits"
        require(self.workers <= self.global_batch, "training.workers", self.workers, idle)
        require(self.lr > 0, "training.lr", self.lr, "must be more than 0")
        require(0 <= self.warmup < 1, "training.warmup", self.warmup, "is a share of all steps: 0 or more, below 1")
        for name, known in (
            ("optimizer", ("adamw", "lamb", "muon")),
            ("schedule", ("linear", "cosine", "constant", "wsd")),
        ):
            value = getattr(self, name)
            require(value in known, f"training.{name}", value, f"must be one of: {', '.join(known)}")
        room = 0 < self.decay <= 1 - self.warmup or self.schedule != "wsd"
        rule = f"must be above 0 and leave training.warmup = {self.warmup} its share of the steps"
        require(room, "training.decay", self.decay, rule)
        require(self.weight_decay >= 0, "training.weight_decay", self.weight_decay, "must be 0 or more")
        require(0 < self.beta2 < 1, "training.beta2", self.beta2, "must be above 0, below 1")
        require(0 <= self.ema < 1, "training.ema", self.ema, "is a decay a step: 0 (none) or more, below 1")
        self._check_ramp()
        rule = "wants training.static_shapes = True: each new shape would be compiled anew; set both"
        require(self.static_shapes or not self.compile, "training.compile", self.compile, rule)
        require(self.clip >= 0, "training.clip", self.clip, "must be 0 (none) or more")
        require(
            self.device in ("auto", "cpu", "cuda", "tpu"),
            "training.device",
            self.device,
            "must be one of: auto, cpu, cuda, tpu",
        )
        for name in ("precision", "communication"):
            value, known = getattr(self, name), ("auto", "fp32", "bf16")
            require(value in known, f"training.{name}", value, f"must be one of: {', '.join(known)}")

    def _check_ramp(self) -> None:
        rule = f"must be 0 (none) or more, below training.epochs = {self.epochs}"
        require(0 <= self.short_epochs < self.epochs, "training.short_epochs", self.short_epochs, rule)
        ramp, start = self.batch_ramp, self.batch_start
        require(0 <= ramp < 1, "training.batch_ramp", ramp, "is a share of all steps: 0 (none) or more, below 1")
        if ramp:
            rule = f"must be 1 to below training.global_batch = {self.global_batch} with training.batch_ramp"
            require(1 <= start < self.global_batch, "training.batch_start", start, rule)
        else:
            require(start == 0, "training.batch_start", start, "has no meaning without training.batch_ramp; set both")
