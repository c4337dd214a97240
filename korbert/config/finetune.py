"""Section `finetune`."""

from __future__ import annotations

from dataclasses import dataclass

from korbert import tasks
from korbert.config.rules import require


@dataclass(frozen=True)
class FinetuneConfig:
    """Scoring the exported model on a benchmark."""

    task: str = "nsmc"
    """Benchmark, see `korbert benchmarks list`; sentence, pair and tags read files of your own (docs/benchmarks.md)."""
    data: str = ""
    """Folder with the task's original files; empty: for nsmc the small set that ships, others need one."""
    seeds: tuple[int, ...] = (1, 2, 3)
    """One fine-tuning run a seed; the score is their mean and standard deviation."""
    epochs: int = 3
    """Passes over the training rows (published grids: 2 to 5)."""
    batch: int = 32
    """Rows an optimiser step (published grids: 16, 32)."""
    lr: float = 5e-5
    """Peak learning rate (published grids: 2e-5, 3e-5, 5e-5)."""
    warmup: float = 0.1
    """Share of all steps in which the learning rate rises from 0."""
    weight_decay: float = 0.01
    """AdamW weight decay of matrices."""
    layer_decay: float = 1.0
    """A layer's learning rate is the next higher layer's times this, the head's is `lr`; 1: all alike."""
    dropout: float = 0.1
    """Dropout of the encoder and of the head while fine-tuning."""
    max_tokens: int = 128
    """Longer inputs are cut (KoELECTRA: 128); questions on a context are asked of windows (KoELECTRA, KLUE: 512)."""
    stride: int = 128
    """Tokens from one window of a context to the next (KoELECTRA, KLUE: 128), where an answer is sought in it."""
    answer_tokens: int = 30
    """Tokens of an answer at most, where it is sought in a context (KoELECTRA, KLUE: 30)."""
    validation: float = 0.1
    """Share of the training rows held out to choose the best epoch, where the task has no file for that (kmou-ner has);
    the test set is touched once, at the end."""
    patience: int = 0
    """A seed stops after so many epochs in a row without a better validation score; 0: all epochs run."""
    class_weights: str = "none"
    """none: every row counts alike in the loss; balanced: every label does, however rare its rows are."""
    train_limit: int = 0
    """Use only so many training rows, drawn by seed; 0: all. The test set is always whole."""

    def __post_init__(self) -> None:
        require(self.task in tasks.names(), "finetune.task", self.task, f"must be one of: {', '.join(tasks.names())}")
        require(
            bool(self.data) or self.task == "nsmc",
            "finetune.data",
            self.data,
            f"must name the folder with the files of task {self.task}: none ship",
        )
        require(len(self.seeds) >= 1, "finetune.seeds", self.seeds, "needs at least one seed")
        require(len(set(self.seeds)) == len(self.seeds), "finetune.seeds", self.seeds, "must not repeat a seed")
        for name in ("epochs", "batch", "stride", "answer_tokens"):
            require(getattr(self, name) >= 1, f"finetune.{name}", getattr(self, name), "must be at least 1")
        require(self.lr > 0, "finetune.lr", self.lr, "must be more than 0")
        require(0 <= self.warmup < 1, "finetune.warmup", self.warmup, "is a share of all steps: 0 or more, below 1")
        require(self.weight_decay >= 0, "finetune.weight_decay", self.weight_decay, "must be 0 or more")
        require(0 < self.layer_decay <= 1, "finetune.layer_decay", self.layer_decay, "must be above 0, 1 at most")
        require(0 <= self.dropout < 1, "finetune.dropout", self.dropout, "is a probability: 0 or more, below 1")
        require(8 <= self.max_tokens <= 8192, "finetune.max_tokens", self.max_tokens, "must be 8 to 8192")
        require(0 < self.validation < 1, "finetune.validation", self.validation, "is a share: above 0, below 1")
        require(self.patience >= 0, "finetune.patience", self.patience, "must be 0 (never stop early) or more")
        require(
            self.class_weights in ("none", "balanced"),
            "finetune.class_weights",
            self.class_weights,
            "must be none or balanced",
        )
        require(self.train_limit >= 0, "finetune.train_limit", self.train_limit, "must be 0 (all) or more")
