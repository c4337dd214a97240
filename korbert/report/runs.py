"""What the report knows of a run, as plain data. A part that the run does not have (yet) is None or empty."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from korbert.config import Config
from korbert.corpus.statistics import Statistics
from korbert.report.numbers import finite


@dataclass(frozen=True)
class StageRow:
    """One stage of the chain."""

    name: str
    state: str
    """fresh, stale, absent, unfinished or damaged."""
    why: str
    seconds: float | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    licences: dict[str, int] = field(default_factory=dict)
    digest: str = ""
    code: str = ""
    created: str = ""
    inputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Crawl:
    """What the crawler brought home."""

    articles: int
    new: int | None
    by_month: dict[str, int]
    by_press: dict[str, int]
    slices: dict[str, int]


@dataclass(frozen=True)
class Funnel:
    """From articles to tokens. `removed` are (reason, documents) in the order of the filters."""

    articles: int
    removed: tuple[tuple[str, int], ...]
    documents: int
    sentences: int | None
    characters: int | None
    tokens: int | None


@dataclass(frozen=True)
class Point:
    """One line of metrics: means over the steps since the line before; losses in nats."""

    step: int
    tokens: float | None
    """Real tokens (no padding) since the start of training."""
    mlm: float | None
    sop: float | None
    loss: float | None
    mlm_accuracy: float | None
    sop_accuracy: float | None
    tokens_per_second: float | None
    attempt: int
    seconds: float | None = None
    """Of training, time lost to interruptions left out."""
    mfu: float | None = None
    """Share of the device's measured matrix rate that the step reached."""
    lr: float | None = None
    recoveries: int = 0
    """Interruptions so far that nobody asked for."""


@dataclass(frozen=True)
class HeldOut:
    """What an evaluation on held-out documents found; losses in nats."""

    step: int
    tokens: float | None
    seconds: float | None
    """Both as the last line of metrics before it has them."""
    mlm: float | None
    sop: float | None
    mlm_accuracy: float | None
    sop_accuracy: float | None
    bits_per_character: float | None

    @property
    def loss(self) -> float | None:
        """The sum of both losses."""
        return None if self.mlm is None or self.sop is None else self.mlm + self.sop


@dataclass(frozen=True)
class Pretraining:
    """The curve of a finished or unfinished training, and its totals."""

    points: tuple[Point, ...]
    finished: bool
    steps: int | None
    samples: int | None
    tokens: int | None
    seconds: float | None
    tokens_per_second: float | None
    mlm: float | None
    sop: float | None
    loss: float | None
    unigram_entropy: float | None
    """Of the training data, nats: what MLM costs a model that knows only how often each token occurs."""
    restarts: int | None
    audit: dict[str, Any] = field(default_factory=dict)
    held_out: tuple[HeldOut, ...] = ()

    @property
    def restarted_at(self) -> tuple[int, ...]:
        """The first logged step of each attempt after the first."""
        return tuple(after.step for before, after in self._neighbours if after.attempt != before.attempt)

    @property
    def recovered_at(self) -> tuple[int, ...]:
        """Those of them that took up what a killed or failed attempt had left; the others had been asked to stop."""
        return tuple(after.step for before, after in self._neighbours if after.recoveries > before.recoveries)

    @property
    def _neighbours(self) -> zip[tuple[Point, Point]]:
        return zip(self.points, self.points[1:], strict=False)


@dataclass(frozen=True)
class SeedScore:
    """One fine-tuning run."""

    seed: int
    test: float | None
    best_epoch: int | None
    validation: tuple[float, ...]
    seconds: float | None


@dataclass(frozen=True)
class Score:
    """A task's score: the mean over seeds and the sample standard deviation."""

    task: str
    metric: str
    n_train: int | None
    n_validation: int | None
    n_test: int | None
    seeds: tuple[SeedScore, ...]
    mean: float | None
    std: float | None
    majority_baseline: float | None
    """What any model must pass."""
    baseline_is: str = "always guessing the larger class"
    remark: str = ""
    """What must stand beside the score, such as that it is a stand-in's."""


@dataclass(frozen=True)
class Trial:
    """One setting of the sweep. `validation` holds (epoch, score) in the epochs' order."""

    name: str
    config: dict[str, Any]
    validation: tuple[tuple[float, float], ...]
    best: float | None
    state: str
    seconds: float | None

    @property
    def lr(self) -> float | None:
        """The trial's learning rate when it is a number above 0."""
        value = finite(self.config.get("lr"))
        return value if value is not None and value > 0 else None


@dataclass(frozen=True)
class Sweep:
    """All trials, best first, and the name of the winner (empty when no trial has a score)."""

    trials: tuple[Trial, ...]
    winner: str


@dataclass(frozen=True)
class Run:
    """One workspace, read. `notes` say in one line each what could not be read."""

    name: str
    config: Config | None = None
    stages: tuple[StageRow, ...] = ()
    crawl: Crawl | None = None
    funnel: Funnel | None = None
    corpus: Statistics | None = None
    tokens_by: dict[str, dict[str, int]] = field(default_factory=dict)
    """Month, press and section to tokens by their names; empty where they were not counted."""
    pretraining: Pretraining | None = None
    scores: tuple[Score, ...] = ()
    sweep: Sweep | None = None
    comparison: dict[str, Any] | None = None
    """What `korbert tokenizer compare` has published for the run, as it stands in the file."""
    notes: tuple[str, ...] = ()
