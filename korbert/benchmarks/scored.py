"""Our scores as a report reads them: scores.json of runs, of finetune artefacts, or of folders of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from korbert.benchmarks.predictions import PREDICTIONS
from korbert.errors import UsageError
from korbert.storage import read_json, read_jsonl, read_manifest

SCORES = "scores.json"


@dataclass(frozen=True)
class Measured:
    """One metric over the seeds, 0 to 1 (correlations from -1)."""

    mean: float
    std: float | None
    """Sample standard deviation; None with one seed."""
    values: tuple[float, ...]


@dataclass(frozen=True)
class Scored:
    """One model's score on one task."""

    model: str
    task: str
    metric: str
    """The one that chose."""
    measured: dict[str, Measured]
    """By metric, the first and those beside it."""
    seeds: int
    n_train: int
    n_validation: int
    n_test: int
    baseline: float
    baseline_is: str
    remark: str
    licence: str
    source: str
    folder: Path
    """The artefact."""
    best: dict[str, Any]
    """The record of the seed whose model and predictions were kept."""

    def predictions(self, split: str) -> list[dict[str, Any]]:
        """The kept answers to the rows of a split.

        Raises:
            UsageError: when the artefact has none.
        """
        path = self.folder / PREDICTIONS
        if not path.is_file():
            raise UsageError(f"{self.folder}: holds no {PREDICTIONS}, which --errors reads; score it again elsewhere")
        return [entry for entry in read_jsonl(path) if entry.get("split") == split]


def read_scores(names: Sequence[str]) -> list[Scored]:
    """The scores of all `names`: PATH or LABEL=PATH each.

    A path is a run, a folder with scores.json, that file, or a folder of such folders. Without a label a run has its
    folder's name; a score outside runs has "ours" and the beginning of its encoder's digest, so that the scores of one
    encoder are one row.

    Raises:
        UsageError: where there is no score, one cannot be read, or two of one label are of the same task.
    """
    found: dict[tuple[str, str], Scored] = {}
    for name in names:
        label, path = _named(name)
        for folder in _folders(path):
            scored = _read(folder, label)
            earlier = found.setdefault((scored.model, scored.task), scored)
            if earlier.folder.resolve() != scored.folder.resolve():
                raise UsageError(
                    f"{scored.folder}: {scored.model} has a score on {scored.task} already, in {earlier.folder}; "
                    "tell them apart: NAME=PATH"
                )
    return list(found.values())


def _named(name: str) -> tuple[str, Path]:
    label, equals, path = name.partition("=")
    return (label, Path(path)) if equals and not Path(name).exists() else ("", Path(name))


def _folders(path: Path) -> list[Path]:
    if path.is_file() and path.name == SCORES:
        return [path.parent]
    for folder in (path, path / "finetune"):
        if (folder / SCORES).is_file():
            return [folder]
    found = [place.parent for place in sorted(path.glob(f"*/{SCORES}"))]
    if not found:
        raise UsageError(f"{path}: holds no {SCORES}; name a run that has been scored, or what korbert finetune wrote")
    return found


def _read(folder: Path, label: str) -> Scored:
    scores = read_json(folder / SCORES)
    try:
        return _scored(folder, label or _label(folder), scores)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"{folder / SCORES}: is no score of ours ({error!r}); score the model again") from error


def _scored(folder: Path, label: str, scores: dict[str, Any]) -> Scored:
    seeds = scores["seeds"]
    first = Measured(scores["mean"], scores["std"], tuple(seed["test"] for seed in seeds))
    also = {
        name: Measured(value["mean"], value["std"], tuple(seed["also"][name] for seed in seeds))
        for name, value in scores.get("also", {}).items()
    }
    return Scored(
        model=label, task=scores["task"], metric=scores["metric"], measured={scores["metric"]: first} | also,
        seeds=len(seeds), n_train=scores["n_train"], n_validation=scores["n_validation"], n_test=scores["n_test"],
        baseline=scores["majority_baseline"],
        baseline_is=scores.get("baseline_is") or "always guessing the larger class",
        remark=scores.get("remark") or "", licence=scores.get("licence") or "not stated",
        source=scores.get("source") or "not stated", folder=folder,
        best=max(seeds, key=lambda seed: max(seed["validation"])),
    )  # fmt: skip


def _label(folder: Path) -> str:
    if folder.name == "finetune" and (folder.parent / "config.json").is_file():
        return folder.resolve().parent.name
    manifest = read_manifest(folder)
    digest = manifest.inputs.get("export", "") if manifest else ""
    return f"ours {digest[:6]}" if digest else "ours"
