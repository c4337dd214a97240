"""Workspaces -> `Run`s. What is missing stays missing, what is broken becomes a note; neither stops the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from korbert import chain
from korbert.chain import Workspace
from korbert.config import Config
from korbert.corpus.documents import STATISTICS
from korbert.corpus.statistics import GROUPS, Statistics
from korbert.data.census import CENSUS
from korbert.errors import UsageError, WorldError
from korbert.report import records
from korbert.report.numbers import finite
from korbert.report.runs import Crawl, Funnel, HeldOut, Point, Pretraining, Run, Score, StageRow, Sweep
from korbert.storage import INTENT, Manifest, read_manifest


def read(workspaces: Sequence[Workspace]) -> tuple[Run, ...]:
    """The runs in the order given; of runs with one name the later ones get a number."""
    runs: list[Run] = []
    taken: set[str] = set()
    for workspace in workspaces:
        name = base = workspace.root.resolve().name
        number = 1
        while name in taken:
            number += 1
            name = f"{base} ({number})"
        taken.add(name)
        runs.append(_Reader(workspace, name).run())
    return tuple(runs)


class _Reader:
    """Reads one workspace and gathers the notes."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self._workspace, self._name = workspace, name
        self._notes: list[str] = []
        self._folders = [workspace.root.resolve(), workspace.root]

    def run(self) -> Run:
        config = self._config()
        if config is not None:
            outside = (Path(name) for name in (config.crawl.articles, config.finetune.data))
            self._folders += [path.parent for path in outside if path.is_absolute()]
        stages = tuple(self._stage(config, link.name) for link in chain.CHAIN)
        counts = {stage.name: stage.counts for stage in stages}
        parts: dict[str, Any] = {
            "crawl": self._crawl(counts["crawl"]),
            "funnel": self._funnel(counts),
            "corpus": self._corpus(),
            "tokens_by": self._tokens_by(),
            "pretraining": self._pretraining(counts),
            "scores": self._scores(),
            "sweep": self._sweep(),
            "comparison": self._comparison(),
        }
        return Run(self._name, config, stages, **parts, notes=tuple(self._notes))

    def _config(self) -> Config | None:
        try:
            return self._workspace.load()
        except UsageError as error:
            found = self._workspace.config_file.is_file()
            self._notes.append(f"config.json: {self._plain(error)}" if found else "config.json is missing")
            return None

    def _stage(self, config: Config | None, name: str) -> StageRow:
        path = self._workspace.path(name)
        try:
            manifest = read_manifest(path)
        except (WorldError, OSError) as error:
            return StageRow(name, "damaged", self._plain(error))
        if config is None:
            begun = (path / INTENT).is_file()
            return _row(name, "unknown" if manifest else "unfinished" if begun else "absent", "", manifest)
        try:
            state = chain.state(config, self._workspace, name)
        except (UsageError, WorldError, OSError) as error:
            return _row(name, "stale" if manifest else "absent", self._plain(error), manifest)
        return _row(name, state.state, state.why, state.manifest)

    def _crawl(self, counts: dict[str, Any]) -> Crawl | None:
        summary = self._object("crawl/summary.json") or counts
        articles = records.count(summary.get("articles"))
        if articles is None:
            return None
        tables = (records.counts(summary.get(name)) for name in ("by_month", "by_press", "slices"))
        return Crawl(articles, records.count(summary.get("new")), *tables)

    def _funnel(self, counts: dict[str, dict[str, Any]]) -> Funnel | None:
        rows = self._json("corpus/funnel.json")
        steps = [
            (str(row["step"]), records.count(row.get("documents"))) for row in records.objects(rows) if "step" in row
        ]
        known = {name: count for name, count in steps if count is not None}
        corpus = counts["corpus"]
        articles = known.pop("articles", records.count(corpus.get("articles")))
        documents = known.pop("documents", records.count(corpus.get("documents")))
        if articles is None or documents is None:
            return None
        totals = {name: records.count(corpus.get(name)) for name in ("sentences", "characters")}
        removed = tuple((name, count) for name, count in known.items() if name not in totals)
        return Funnel(articles, removed, documents, **totals, tokens=records.count(counts["tokens"].get("tokens")))

    def _corpus(self) -> Statistics | None:
        value = self._json(f"corpus/{STATISTICS}")
        if value is None:
            return None
        try:
            return Statistics.from_dict(value if isinstance(value, dict) else {})
        except UsageError as error:
            self._notes.append(f"corpus/{STATISTICS}: {self._plain(error)}")
            return None

    def _tokens_by(self) -> dict[str, dict[str, int]]:
        found = self._object(f"tokens/{CENSUS}")
        return {group: records.counts(found.get(group)) for group in GROUPS if group in found}

    def _pretraining(self, counts: dict[str, dict[str, Any]]) -> Pretraining | None:
        points, held_out = self._points()
        summary = self._object("pretrain/summary.json")
        if not points and not summary:
            return None
        entropy = finite(counts["tokens"].get("unigram_entropy"))
        last = points[-1] if points else None
        whole: dict[str, Any] = {
            name: records.count(summary.get(name)) for name in ("steps", "samples", "tokens", "restarts")
        }
        real: dict[str, Any] = {
            name: finite(summary.get(name)) for name in ("seconds", "tokens_per_second", "mlm", "sop", "loss")
        }
        if not summary and last:
            whole |= {"steps": last.step, "tokens": records.count(last.tokens)}
            real |= {"mlm": last.mlm, "sop": last.sop, "loss": last.loss, "tokens_per_second": last.tokens_per_second}
        audit = summary.get("audit")
        return Pretraining(
            points,
            bool(summary),
            **whole,
            **real,
            unigram_entropy=entropy if entropy is not None else finite(summary.get("unigram_entropy")),
            audit=audit if isinstance(audit, dict) else {},
            held_out=held_out,
        )

    def _points(self) -> tuple[tuple[Point, ...], tuple[HeldOut, ...]]:
        points: list[Point] = []
        evaluations: dict[int, HeldOut] = {}  # by step: one that was done again counts once
        broken = []
        for number, record in enumerate(self._lines("pretrain/metrics.jsonl"), 1):
            if record is not None and "held_out" in record:
                if found := records.held_out(record, points):
                    evaluations[found.step] = found
                continue
            point = records.point(record) if record is not None else None
            if point is None or not records.appended(points, point):
                broken.append(number)
        if broken:
            shown = ", ".join(map(str, broken[:5])) + (", …" if len(broken) > 5 else "")
            self._notes.append(f"pretrain/metrics.jsonl: {len(broken):,} broken line(s) skipped: {shown}")
        lost = sum(value is None for point in points for value in (point.mlm, point.sop, point.loss))
        if lost:
            self._notes.append(
                f"pretrain/metrics.jsonl: {lost:,} losses are missing or not finite; the curves skip them"
            )
        return tuple(points), tuple(evaluations[step] for step in sorted(evaluations))

    def _scores(self) -> tuple[Score, ...]:
        value = self._json("finetune/scores.json")
        rows = records.objects(value if isinstance(value, list) else [value])
        return tuple(records.score(row) for row in rows if "task" in row)

    def _sweep(self) -> Sweep | None:
        rows = records.objects(self._json("tune/trials.json"))
        if not rows:
            return None
        trials = sorted(map(records.trial, rows), key=lambda trial: (trial.best is None, -(trial.best or 0)))
        named = self._object("tune/best.json").get("trial")
        scored = [trial.name for trial in trials if trial.best is not None]
        winner = str(named) if any(trial.name == str(named) for trial in trials) else next(iter(scored), "")
        return Sweep(tuple(trials), winner)

    def _comparison(self) -> dict[str, Any] | None:
        """The results of the run's comparison of tokenizers, their speed with them."""
        found = self._object("comparison/results/comparison.json")
        return found | {"speed": self._object("comparison/results/speed.json")} if found else None

    def _lines(self, name: str) -> list[dict[str, Any] | None]:
        """The JSON objects of a file's lines, None for a line that is none (a killed writer leaves half a line)."""
        path = self._workspace.root / name
        if not path.is_file():
            return []
        try:
            raw = path.read_bytes()
        except OSError as error:
            self._notes.append(f"{name}: {error.strerror}")
            return []
        return [records.line(line) for line in raw.split(b"\n") if line.strip()]

    def _object(self, name: str) -> dict[str, Any]:
        value = self._json(name)
        return value if isinstance(value, dict) else {}

    def _json(self, name: str) -> Any:
        path: Path = self._workspace.root / name
        if not path.is_file():
            return None
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            self._notes.append(f"{name}: cannot be read ({error.__class__.__name__}); shown as missing")
            return None

    def _plain(self, error: Exception) -> str:
        """The error without this machine's folders: a report travels."""
        text = str(error)
        for folder in self._folders:
            text = text.replace(f"{folder}/", "")
        return text


def _row(name: str, state: str, why: str, manifest: Manifest | None) -> StageRow:
    if manifest is None:
        return StageRow(name, state, why)
    return StageRow(
        name,
        state,
        why,
        seconds=finite(manifest.seconds),
        counts=manifest.counts,
        licences=records.counts(manifest.licences),
        digest=manifest.digest,
        code=manifest.code,
        created=manifest.created,
        inputs=manifest.inputs,
    )
