"""What a sweep is about: encoders, tasks with their files, and the settings; and all their rows, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from korbert import chain, tasks
from korbert.benchmarks.batches import EncodedRows
from korbert.benchmarks.classifier import check_inputs, quiet, read_config
from korbert.benchmarks.material import Draw, read_drawn
from korbert.benchmarks.tokens import load_tokenizer
from korbert.benchmarks.windows import Limits
from korbert.config import Config, to_dict
from korbert.errors import UsageError
from korbert.storage import Plan, digest_file, digest_of
from korbert.tasks import Task
from tune.goal import constant_score
from tune.space import Space

WEIGHTS = (".safetensors", ".bin")
Place = tuple[str, str, int]
"""Model, task, and to how many tokens rows are cut."""


@dataclass(frozen=True)
class Rows:
    """One task's rows as one tokenizer gives them. No test row is among them."""

    training: EncodedRows
    validation: EncodedRows
    pad: int

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return self.training.nbytes + self.validation.nbytes


@dataclass(frozen=True)
class Contest:
    """What is swept."""

    config: Config
    """Sections `finetune` and `tune`, `tracking` and `training.device`."""
    models: dict[str, Path]
    """Folders that transformers loads, by name."""
    folders: dict[str, Path]
    """Folder with the files of each task, by the task's name."""

    @classmethod
    def named(cls, config: Config, models: list[Path], folders: dict[str, Path]) -> Contest:
        """Names each model after its folder, and after the one above where two are called alike.

        Raises:
            UsageError: for a folder that is not there, or one that is given twice.
        """
        for folder in models:
            if not folder.is_dir():
                raise UsageError(f"--model {folder}: there is no such folder; name one that holds an encoder")
        paths = [folder.resolve() for folder in models]
        if len(set(paths)) < len(paths):
            raise UsageError("--model: a folder is named twice; name each encoder once")
        depth = 1
        while len({_ending(path, depth) for path in paths}) < len(paths):
            depth += 1
        return cls(config, {_ending(path, depth): path for path in paths}, folders)

    def plan(self, output: Path) -> Plan:
        """What the sweep would make at `output`.

        Raises:
            UsageError: when a model's folder or a task's file is missing.
        """
        inputs: dict[str, str] = {}
        for model, path in self.models.items():
            for task, folder in self.folders.items():
                section = replace(self.config.finetune, task=task, data=str(folder))
                found = chain.finetune_plan(replace(self.config, finetune=section), path, output).inputs
                inputs |= {f"model {model}": found["export"], task: found[task]}
        values = to_dict(self.config)
        fields = {f"tune.{name}": value for name, value in values["tune"].items()}
        fields |= {
            f"finetune.{name}": values["finetune"][name]
            for name in ("max_tokens", "stride", "answer_tokens", "validation")
        }
        kept = {name: value for name, value in fields.items() if name not in chain.NEUTRAL}
        return Plan("tune", output, chain.STAGES["tune"].version, inputs, kept)

    def task(self, name: str) -> Task:
        """A task as its folder has it: the labels of data of one's own are in the files."""
        return tasks.task(name).at(self.folders[name])

    def space(self) -> Space:
        """What may be chosen."""
        widths = {name: int(read_config(folder).hidden_size) for name, folder in self.models.items()}
        return Space.of(self.config.tune, widths, self.config.finetune.max_tokens)

    def rows(self) -> dict[Place, Rows]:
        """All rows of all tasks, checked, and tokenised once a tokenizer and length.

        Raises:
            UsageError: for whatever cannot be used.
        """
        quiet()
        read: dict[tuple[str, str, int], Rows] = {}
        found: dict[Place, Rows] = {}
        for model, encoder in self.models.items():
            tokenizer = _tokenizer_digest(encoder)
            for task in self.folders:
                for length in self.space().values["max_tokens"]:
                    key = tokenizer, task, length
                    if key not in read:
                        read[key] = self._read(encoder, task, length)
                    check_inputs(encoder, read[key].training)
                    check_inputs(encoder, read[key].validation)
                    found[model, task, length] = read[key]
        return found

    def constants(self, rows: Mapping[Place, Rows]) -> dict[str, float]:
        """What one constant answer scores on each task's validation rows."""
        return {task: constant_score(self.task(task), found.validation) for (_, task, _), found in rows.items()}

    def _read(self, encoder: Path, task: str, length: int) -> Rows:
        tokenizer, sweep = load_tokenizer(encoder), self.config.tune
        training, validation = read_drawn(
            self.task(task),
            self.folders[task],
            tokenizer,
            Draw(sweep.train_limit, sweep.seed, sweep.validation_limit),
            max_tokens=length,
            validation=self.config.finetune.validation,
            limits=Limits(self.config.finetune.stride, self.config.finetune.answer_tokens),
        )
        return Rows(training, validation, tokenizer.pad)


def stored_bytes(rows: Mapping[Place, Rows]) -> int:
    """Bytes that the rows take in the object store, each once."""
    return sum({id(found): found.nbytes for found in rows.values()}.values())


def _ending(path: Path, depth: int) -> str:
    return "/".join(path.parts[-depth:])


def _tokenizer_digest(encoder: Path) -> str:
    """Equal for encoders whose tokenizers are: all that lies in the folder but weights and shape."""
    names: Any = (file for file in sorted(encoder.iterdir()) if file.is_file() and "token" in file.name)
    others = sorted(file for file in encoder.iterdir() if file.suffix in (".txt", ".model") and file.is_file())
    return digest_of({file.name: digest_file(file) for file in [*names, *others]})
