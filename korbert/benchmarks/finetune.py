"""The driver of stage `finetune`: scores the exported encoder on a task, one run a seed.

A finetune artefact holds
    scores.json    task, metric, rows, each seed's scores, their mean and sample standard deviation, the baseline
    curves.jsonl   {"seed", "epoch", "step", "loss", "lr"}; the last line of an epoch also has "validation"
    model/         the classifier of the seed that was best on validation rows, with its tokenizer
    seeds/N.json   what seed N gave; written when the seed is done, so that a killed run goes on at the next one
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from korbert import chain
from korbert.benchmarks import nsmc, protocol
from korbert.benchmarks.batches import EncodedRows, encoded
from korbert.benchmarks.classifier import check_inputs, load_classifier, load_tokenizer, save_classifier
from korbert.benchmarks.fitting import TRAINING_PASSES, Advance, Fitting, Settings
from korbert.benchmarks.material import Material, read_material
from korbert.benchmarks.metrics import deviation, majority, mean
from korbert.benchmarks.seeds import FinishedSeeds
from korbert.config import Config, FinetuneConfig
from korbert.progress import meter
from korbert.storage import Manifest, fresh, read_manifest, resumable, write_json, write_jsonl
from korbert.training.process_group import World, device_of


@dataclass(frozen=True)
class Benchmark:
    """All that a seed's run needs, read and checked before anything is written."""

    config: FinetuneConfig
    encoder: Path
    tokenizer: PreTrainedTokenizerBase
    material: Material
    validation: EncodedRows
    """Rows that choose the epoch: `finetune.validation` of as many rows as are trained on at most."""
    test: EncodedRows
    counts: dict[str, Any]
    """For the manifest."""
    device: torch.device

    @property
    def pad(self) -> int:
        """The padding token's id."""
        return int(self.tokenizer.pad_token_id or 0)

    @property
    def trained_on(self) -> int:
        """Rows that each seed trains on."""
        return min(self.config.train_limit or len(self.material.training), len(self.material.training))


def run(config: Config, workspace: chain.Workspace) -> Manifest:
    """Publishes the finetune artefact, or answers a fresh one; goes on at the seed where a killed run was.

    Raises:
        UsageError: for bad input files, an encoder that cannot be used, or settings with which the loss diverges.
        WorldError: when the disk fails or is full.
    """
    plan = chain.plan(config, workspace, "finetune")
    if manifest := fresh(plan):
        return manifest
    use_all_cores()
    benchmark = read_benchmark(config, workspace.path("export"))
    with resumable(plan) as draft:
        finished = FinishedSeeds(draft.path, config.finetune.seeds)
        _run_seeds(benchmark, finished)
        finished.publish_model()
        scores = summary(benchmark, [finished.records[seed] for seed in config.finetune.seeds])
        write_jsonl(
            draft.path / "curves.jsonl",
            (point for seed in config.finetune.seeds for point in finished.records[seed]["curve"]),
        )
        write_json(draft.path / "scores.json", scores)
        draft.counts = {scores["metric"]: scores["mean"], "std": scores["std"]} | benchmark.counts
    published = read_manifest(plan.path)
    assert published is not None
    return published


def use_all_cores() -> None:
    """Gives torch every core this process may use, unless OMP_NUM_THREADS says otherwise."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(len(os.sched_getaffinity(0)))


def read_benchmark(config: Config, encoder: Path) -> Benchmark:
    """Reads the encoder's tokenizer and both files of the task, and checks that the encoder can take their rows.

    Raises:
        UsageError: for whatever cannot be used.
    """
    finetune, folder = config.finetune, chain.nsmc_folder(config)
    tokenizer = load_tokenizer(encoder)
    material, reviews = read_material(folder, tokenizer, max_tokens=finetune.max_tokens, validation=finetune.validation)
    test_reviews = nsmc.read(folder / nsmc.TEST)
    test, test_cut = encoded(test_reviews.texts, test_reviews.labels, tokenizer, finetune.max_tokens)
    check_inputs(encoder, material.rows)
    check_inputs(encoder, test)
    validation = material.validation_rows(round(finetune.validation * finetune.train_limit))
    seen = set(reviews.texts)
    counts = {
        "test_rows": len(test),
        "cut_rows": material.cut + test_cut,
        "empty_documents": material.empty + test_reviews.empty,
        "test_texts_also_in_train": sum(text in seen for text in test_reviews.texts),
    }
    device = device_of(config.training.device, World())
    return Benchmark(finetune, encoder, tokenizer, material, validation, test, counts, device)


def summary(benchmark: Benchmark, records: list[dict[str, Any]]) -> dict[str, Any]:
    """What scores.json holds: the task's row of the table."""
    scores = [record["test"] for record in records]
    return {
        "task": benchmark.config.task,
        "metric": "accuracy",
        "n_train": benchmark.trained_on,
        "n_validation": len(benchmark.validation),
        "n_test": len(benchmark.test),
        "seeds": [{name: value for name, value in record.items() if name != "curve"} for record in records],
        "mean": mean(scores),
        "std": deviation(scores),
        "majority_baseline": majority(benchmark.test.labels),
    }


def _run_seeds(benchmark: Benchmark, finished: FinishedSeeds) -> None:
    """Runs the seeds that have no record yet."""
    seeds, each = benchmark.config.seeds, _passes(benchmark)
    test = protocol.TestSet(benchmark.test, benchmark.pad, spent=finished.records)
    label = f"fine-tuning {benchmark.config.task}"
    with meter(label, each * len(seeds), done=each * len(finished.records)) as progress:
        for number, seed in enumerate(seeds, 1):
            if seed in finished.records:
                continue

            def advance(passes: int, note: str, place: str = f"seed {number}/{len(seeds)}") -> None:
                progress.advance(passes, f"{place}, {note}")

            _run_seed(benchmark, finished, test, seed, advance)


def _passes(benchmark: Benchmark) -> int:
    """Work of one seed in forward passes of a row."""
    epoch = TRAINING_PASSES * benchmark.trained_on + len(benchmark.validation)
    return benchmark.config.epochs * epoch + len(benchmark.test)


def _run_seed(
    benchmark: Benchmark, finished: FinishedSeeds, test: protocol.TestSet, seed: int, advance: Advance
) -> None:
    """Fits, chooses the epoch, scores it on the test rows, and keeps the record."""
    started = time.monotonic()
    settings = Settings.of(benchmark.config, seed)
    model = load_classifier(benchmark.encoder, nsmc.LABELS, settings.dropout, seed)
    torch.nn.Module.to(model, benchmark.device)
    training = benchmark.material.training_rows(benchmark.config.train_limit, seed)
    fitting = Fitting(model, training, benchmark.pad, settings)
    outcome = protocol.fit(fitting, benchmark.validation, benchmark.pad, advance)
    record = {
        "seed": seed,
        "best_epoch": outcome.best_epoch,
        "validation": outcome.validation,
        "test": test.accuracy(model, seed, lambda rows: advance(rows, "test")),
        "seconds": round(time.monotonic() - started, 3),
        "tokens_per_second": outcome.tokens_per_second,
        "curve": outcome.curve,
    }
    finished.add(record, lambda folder: save_classifier(folder, model, benchmark.tokenizer))
