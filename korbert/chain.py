"""The chain of stages: what each reads, where its artefact lies, and whether it is fresh.

Every stage's driver asks `plan` for its `storage.Plan`; `pipeline` runs the chain; `korbert status` prints it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from korbert import tasks
from korbert.config import Config, from_dict, to_dict
from korbert.errors import UsageError
from korbert.storage import (
    INTENT,
    MANIFEST,
    Manifest,
    Plan,
    damage,
    digest_file,
    digest_input,
    digest_of,
    read_json,
    read_manifest,
    write_json,
)


@dataclass(frozen=True)
class Stage:
    """One link: the stages whose artefacts it reads, and the config fields its content depends on."""

    name: str
    after: tuple[str, ...]
    reads: tuple[str, ...]
    """Dotted config fields; a section's name stands for all its fields but the neutral ones."""
    version: int = 1


CHAIN: tuple[Stage, ...] = (
    Stage("crawl", (), ("crawl",)),
    Stage("corpus", ("crawl",), ("corpus",), version=4),
    Stage("tokenizer", ("corpus",), ("tokenizer",), version=2),
    Stage("tokens", ("corpus", "tokenizer"), ("data.shard_tokens", "data.mask_unit"), version=2),
    Stage("pretrain", ("tokens",), ("seed", "data", "model", "training"), version=2),
    Stage("export", ("pretrain", "tokenizer"), ()),
    Stage("finetune", ("export",), ("finetune",)),
    Stage(
        "tune",
        ("export",),
        (
            "finetune.task",
            "finetune.max_tokens",
            "finetune.stride",
            "finetune.answer_tokens",
            "finetune.validation",
            "tune",
        ),
        version=2,
    ),
)
STAGES: dict[str, Stage] = {stage.name: stage for stage in CHAIN}

# Fields that change speed or manners, never content: another value leaves an artefact fresh.
NEUTRAL = frozenset(
    {
        "crawl.articles",  # its content counts, as an input's digest
        "crawl.delay", "crawl.concurrency", "crawl.timeout", "crawl.retries", "crawl.lease_seconds",
        "crawl.daily_calls", "crawl.user_agent", "crawl.raw", "crawl.raw_folder",
        "corpus.sources", "corpus.evaluation",  # their files' content counts, as inputs' digests
        "corpus.workers", "corpus.engine", "corpus.ray_address", "tokenizer.workers", "data.workers",
        "training.rows_per_micro_batch", "training.workers", "training.max_restarts", "training.threads",
        "training.stop_at",  # a training that was ended early counts as finished
        "training.hang_timeout", "training.grace_seconds",
        "training.device", "training.static_shapes", "training.compile",
        "training.start",  # its files' content counts, as an input's digest
        "training.checkpoint_every", "training.checkpoint_url", "training.keep_checkpoints", "training.log_every",
        "training.evaluate_every", "training.evaluate_samples",
        "finetune.data",  # likewise
        "tune.concurrent", "tune.gpus_per_trial", "tune.storage",
    }
)  # fmt: skip


# Fields younger than artefacts that are still fresh: at this value they change nothing, and are not recorded.
LATER: dict[str, Any] = {"data.mask_unit": "eojeol", "crawl.source": ""}

# What makes up an encoder's folder; a README or a manifest beside it does not.
_ENCODER_FILES = (".json", ".safetensors", ".bin", ".txt", ".model")


@dataclass(frozen=True)
class Workspace:
    """The folder of one run: an artefact a stage, the run's config, and the embedded database's home."""

    root: Path

    def path(self, stage: str) -> Path:
        """Where the stage's artefact lies."""
        return self.root / stage

    @property
    def config_file(self) -> Path:
        """The resolved config, read by the processes of the stages."""
        return self.root / "config.json"

    def save(self, config: Config) -> None:
        """Records the run's config."""
        self.root.mkdir(parents=True, exist_ok=True)
        write_json(self.config_file, to_dict(config))

    def load(self) -> Config:
        """The run's config.

        Raises:
            UsageError: when there is none here.
        """
        if not self.config_file.is_file():
            raise UsageError(
                f"{self.root}: is no workspace (it has no config.json); start one with: korbert run RECIPE"
            )
        return from_dict(Config, read_json(self.config_file))

    def manifest(self, stage: str) -> Manifest:
        """The published artefact's manifest.

        Raises:
            UsageError: when the stage has not published one.
        """
        manifest = read_manifest(self.path(stage))
        if manifest is None:
            raise UsageError(f"{self.path(stage)}: stage {stage} has not finished; run: korbert run --to {stage}")
        return manifest


@dataclass(frozen=True)
class State:
    """How one stage stands."""

    stage: str
    state: str
    """fresh, stale, absent or unfinished (begun and interrupted)."""
    why: str
    manifest: Manifest | None


def shipped_articles() -> Path:
    """The newsroom's own articles, found without importing the crawler."""
    return _package_folder("crawler") / "newsroom" / "articles.jsonl"


def shipped_nsmc() -> Path:
    """The small review set in NSMC's format."""
    return _package_folder("korbert") / "benchmarks" / "sample" / "nsmc"


def articles_file(config: Config) -> Path:
    """The file that the newsroom serves."""
    return Path(config.crawl.articles) if config.crawl.articles else shipped_articles()


def benchmark_folder(config: Config) -> Path:
    """The folder with the files of fine-tuning's task."""
    return Path(config.finetune.data) if config.finetune.data else shipped_nsmc()


def plan(config: Config, workspace: Workspace, stage: str) -> Plan:
    """What the stage would make now.

    Raises:
        UsageError: when a stage before it has no artefact, or an input file is missing.
    """
    link = STAGES[stage]
    inputs = {name: workspace.manifest(name).digest for name in _after(config, link)} | _outside_inputs(config, stage)
    return Plan(stage, workspace.path(stage), link.version, inputs, _fields(config, link))


def finetune_plan(config: Config, encoder: Path, path: Path) -> Plan:
    """What fine-tuning an encoder's folder outside a workspace would make at `path`.

    Raises:
        UsageError: when the folder has no config, or a file of the task is missing.
    """
    files = _digests(encoder, _ENCODER_FILES)
    if "config.json" not in files:
        raise UsageError(f"{encoder}: is no encoder's folder (no config.json in it); make one: korbert run --to export")
    link = STAGES["finetune"]
    inputs = {"export": digest_of(files)} | _outside_inputs(config, link.name)
    return Plan(link.name, path, link.version, inputs, _fields(config, link))


def check_inputs(config: Config) -> None:
    """Reads every outside input's digest, so that a missing file is found before the first stage runs.

    Raises:
        UsageError: naming the file.
    """
    for stage in stages(config):
        _outside_inputs(config, stage)


def stages(config: Config) -> tuple[str, ...]:
    """The names of the chain's stages: a corpus made from files needs no crawl."""
    return tuple(link.name for link in CHAIN if link.name != "crawl" or not config.corpus.sources)


def state(config: Config, workspace: Workspace, stage: str) -> State:
    """Whether the stage's artefact is what `config` asks for, and if not, why."""
    path = workspace.path(stage)
    manifest = read_manifest(path)
    if manifest is None:
        begun = (path / INTENT).is_file()
        return State(
            stage, "unfinished" if begun else "absent", "interrupted; run again to go on" if begun else "", None
        )
    why = damage(path, manifest) or _difference(config, workspace, STAGES[stage], manifest)
    return State(stage, "stale" if why else "fresh", why, manifest)


def _difference(config: Config, workspace: Workspace, link: Stage, manifest: Manifest) -> str:
    if manifest.version != link.version:
        return f"made by format {manifest.version}, now {link.version}"
    for name in _after(config, link):
        before = read_manifest(workspace.path(name))
        if before is None:
            return f"{name} is absent"
        if manifest.inputs.get(name) != before.digest:
            gone = before.counts.get("taken_down", 0)
            return f"{name} has changed" + (f": {gone:,} of its articles were taken down" if gone else "")
    outside = _outside_inputs(config, link.name)
    for name, digest in outside.items():
        if manifest.inputs.get(name) != digest:
            return f"{name} has changed"
    for name in sorted(manifest.inputs.keys() - outside.keys() - set(_after(config, link))):
        return f"{name} is an input no more"
    now = _fields(config, link)
    changed = sorted(n for n in now.keys() | manifest.config.keys() if now.get(n) != manifest.config.get(n))
    return f"{', '.join(changed)} changed" if changed else ""


def _after(config: Config, link: Stage) -> tuple[str, ...]:
    return tuple(name for name in link.after if name in stages(config))


def _fields(config: Config, link: Stage) -> dict[str, Any]:
    values = to_dict(config)
    fields: dict[str, Any] = {}
    for name in link.reads:
        section, _, field = name.partition(".")
        if field:
            fields[name] = values[section][field]
        elif isinstance(values[section], dict):
            fields |= {f"{section}.{k}": v for k, v in values[section].items()}
        else:
            fields[section] = values[section]
    return {n: value for n, value in fields.items() if n not in NEUTRAL and (n not in LATER or value != LATER[n])}


def _outside_inputs(config: Config, stage: str) -> dict[str, str]:
    if stage == "crawl":
        # What a source holds is the database's to say: the artefact is renewed when somebody asks for it.
        return {} if config.crawl.source else {"articles": digest_file(articles_file(config))}
    if stage == "corpus":
        # Under a number, not under a path: the same files elsewhere are the same input.
        return _numbered("source", config.corpus.sources) | _numbered("evaluation", config.corpus.evaluation)
    if stage == "pretrain" and config.training.start:
        return {"start": _start_digest(config)}
    if stage in ("finetune", "tune"):
        folder, task = benchmark_folder(config), config.finetune.task
        return {task: digest_of({name: digest_file(folder / name) for name in tasks.task(task).files(folder)})}
    return {}


def _start_digest(config: Config) -> str:
    """Of the model that pre-training starts from: its config and its weights."""
    folder = Path(config.training.start)
    files = _digests(folder, (".json", ".safetensors"))
    if "config.json" not in files:
        raise UsageError(
            f"training.start = {str(folder)!r}: is no model's folder (no config.json in it); name one that "
            "transformers or stage export has written"
        )
    # Beside those stand a tokenizer's files, which training does not read.
    return digest_of({n: d for n, d in files.items() if n == "config.json" or ".safetensors" in n})


def _digests(folder: Path, suffixes: tuple[str, ...]) -> dict[str, str]:
    found = sorted(file for file in folder.glob("*") if file.suffix in suffixes and file.name != MANIFEST)
    return {file.name: digest_input(str(file)) for file in found}


def _numbered(kind: str, names: Sequence[str]) -> dict[str, str]:
    return {f"{kind} {number}": digest_input(name) for number, name in enumerate(names, 1)}


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"package {name}: is not installed; install the whole project, or name your own files")
    return Path(next(iter(spec.submodule_search_locations)))
