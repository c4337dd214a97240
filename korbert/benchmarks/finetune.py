"""The driver of stage `finetune`: scores the exported encoder on a task, one run a seed.

A finetune artefact holds
    scores.json    task, metric, rows, each seed's scores, their mean and sample standard deviation, further metrics
                   likewise (`also`), the baseline, and what must stand beside the score (`remark`), licence and source
    curves.jsonl   {"seed", "epoch", "step", "loss", "lr"}; the last line of an epoch also has "validation"
    model/         the classifier of the seed that was best on validation rows, with its tokenizer
    predictions.jsonl  that seed's answers to the validation and the test rows, with their texts (`predictions`)
    seeds/N.json   what seed N gave; written when the seed is done, so that a killed run goes on at the next one
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from korbert import chain, tasks
from korbert.benchmarks import protocol
from korbert.benchmarks.batches import Answers, EncodedRows
from korbert.benchmarks.classifier import check_inputs, load_classifier, save_classifier
from korbert.benchmarks.fitting import TRAINING_PASSES, Advance, Fitting, Settings
from korbert.benchmarks.material import Material, beginning, encoded_examples, joined, read_material
from korbert.benchmarks.metrics import METRICS, constant_answer, deviation, mean
from korbert.benchmarks.predictions import PREDICTIONS, Asked, by_length, entries
from korbert.benchmarks.seeds import MODEL, FinishedSeeds
from korbert.benchmarks.sequences import with_probabilities
from korbert.benchmarks.spans import SpanRows, off_boundaries
from korbert.benchmarks.tagging import TaggedRows
from korbert.benchmarks.tokens import InputTokenizer, load_tokenizer
from korbert.benchmarks.windows import Limits
from korbert.config import Config, FinetuneConfig
from korbert.errors import UsageError
from korbert.progress import meter
from korbert.storage import Manifest, Plan, fresh, read_json, read_manifest, resumable, write_json, write_jsonl
from korbert.tasks import Task
from korbert.training.process_group import World, device_of


@dataclass(frozen=True)
class Benchmark:
    """All that a seed's run needs, read and checked before anything is written."""

    config: FinetuneConfig
    task: Task
    encoder: Path
    tokenizer: InputTokenizer
    material: Material
    validation: EncodedRows
    """Rows that choose the epoch; where they are held out, `finetune.validation` of the rows trained on at most."""
    test: EncodedRows
    asked: dict[str, Asked]
    """The texts of the rows of both, by the split's name."""
    baseline: float
    """What any model must pass, on the test rows."""
    remark: str
    counts: dict[str, Any]
    """For the manifest."""
    device: torch.device

    @property
    def pad(self) -> int:
        """The padding token's id."""
        return self.tokenizer.pad

    @property
    def trained_on(self) -> int:
        """Rows that each seed trains on."""
        return min(self.config.train_limit or len(self.material.training), len(self.material.training))

    def score(self, answers: Answers, rows: EncodedRows) -> float:
        """The task's metric."""
        return self.metric(self.task.metric, answers, rows)

    def metric(self, name: str, answers: Answers, rows: EncodedRows) -> float:
        """Any metric of METRICS."""
        return METRICS[name].score(answers, rows, self.task.labels)


def run(config: Config, workspace: chain.Workspace) -> Manifest:
    """Publishes the finetune artefact, or answers a fresh one; goes on at the seed where a killed run was.

    Raises:
        UsageError: for bad input files, an encoder that cannot be used, or settings with which the loss diverges.
        WorldError: when the disk fails or is full.
    """
    return fine_tuned(config, workspace.path("export"), chain.plan(config, workspace, "finetune"))


def score(config: Config, encoder: Path, output: Path) -> dict[str, Any]:
    """Fine-tunes any encoder's folder, outside a workspace; answers what scores.json holds.

    Args:
        config: Task, files and settings, in section `finetune`.
        encoder: A folder that transformers loads.
        output: Becomes the artefact; a fresh one is answered, an interrupted one completed.

    Raises:
        UsageError: as `run`.
        WorldError: as `run`.
    """
    fine_tuned(config, encoder, chain.finetune_plan(config, encoder, output))
    scores: dict[str, Any] = read_json(output / "scores.json")
    return scores


def fine_tuned(config: Config, encoder: Path, plan: Plan) -> Manifest:
    """Publishes the artefact of `plan`, see `run`."""
    if manifest := fresh(plan):
        return manifest
    use_all_cores()
    benchmark = read_benchmark(config, encoder)
    metric = benchmark.task.metric
    with resumable(plan) as draft:
        finished = FinishedSeeds(draft.path, config.finetune.seeds)
        _run_seeds(benchmark, finished)
        finished.publish_model()
        if (draft.path / MODEL / PREDICTIONS).is_file():
            (draft.path / MODEL / PREDICTIONS).replace(draft.path / PREDICTIONS)
        scores = summary(benchmark, [finished.records[seed] for seed in config.finetune.seeds])
        write_jsonl(
            draft.path / "curves.jsonl",
            (point for seed in config.finetune.seeds for point in finished.records[seed]["curve"]),
        )
        write_json(draft.path / "scores.json", scores)
        also = {name: measured["mean"] for name, measured in scores["also"].items()}
        draft.counts = {metric: scores["mean"], "std": scores["std"]} | also | benchmark.counts
    published = read_manifest(plan.path)
    assert published is not None
    return published


def use_all_cores() -> None:
    """Gives torch every core this process may use, unless OMP_NUM_THREADS says otherwise."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(len(os.sched_getaffinity(0)))


def read_benchmark(config: Config, encoder: Path) -> Benchmark:
    """Reads the encoder's tokenizer and the files of the task, and checks that the encoder can take their rows.

    Raises:
        UsageError: for whatever cannot be used.
    """
    finetune, folder = config.finetune, chain.benchmark_folder(config)
    task, tokenizer = tasks.task(finetune.task).at(folder), load_tokenizer(encoder)
    if finetune.class_weights != "none" and task.head not in ("sentence", "words", "characters"):
        raise UsageError(
            f"finetune.class_weights = {finetune.class_weights!r}: task {finetune.task} has no labels to weigh; "
            "leave it at none"
        )
    limits = Limits(finetune.stride, finetune.answer_tokens)
    material, examples = read_material(
        task, folder, tokenizer, max_tokens=finetune.max_tokens, validation=finetune.validation, limits=limits
    )
    test_examples = task.test(folder)
    test, test_cut = encoded_examples(task, test_examples, tokenizer, finetune.max_tokens, limits)
    check_inputs(encoder, material.rows)
    check_inputs(encoder, test)
    # A limit on training rows limits the held-out ones in proportion; a file to choose by is used whole.
    held_out = task.validation is None
    numbers = material.validation_numbers(round(finetune.validation * finetune.train_limit) if held_out else 0)
    validation, test = with_probabilities(material.rows.take(numbers)), with_probabilities(test)
    asked = {
        "validation": Asked.of(examples, numbers, 0 if held_out else len(material.training)),
        "test": Asked.of(test_examples, np.arange(test.items), 0),
    }
    seen = set(examples.rows)
    counts = {
        "test_rows": test.items,
        "cut_rows": material.cut + test_cut,
        "empty_documents": examples.empty + test_examples.empty,
        "test_texts_also_in_train": sum(row in seen for row in test_examples.rows),
    }
    if isinstance(test, TaggedRows):
        counts |= {"test_words": len(test.gold), "test_words_cut": test.cut_words}
    if isinstance(test, SpanRows):
        counts |= {"test_windows": len(test), "test_answers_off_token_boundaries": off_boundaries(test)}
    counts |= joined(examples, test_examples).counts
    trained = examples if held_out else beginning(examples, task.head, len(material.training))
    baseline = METRICS[task.metric].baseline(trained, test_examples, test, task.labels)
    device = device_of(config.training.device, World())
    return Benchmark(
        finetune, task, encoder, tokenizer, material, validation, test, asked, baseline, task.remark(folder), counts,
        device,
    )  # fmt: skip


def summary(benchmark: Benchmark, records: list[dict[str, Any]]) -> dict[str, Any]:
    """What scores.json holds: the task's row of the table."""
    scores = [record["test"] for record in records]
    task = benchmark.task
    return {
        "task": benchmark.config.task,
        "metric": task.metric,
        "n_train": benchmark.trained_on,
        "n_validation": benchmark.validation.items,
        "n_test": benchmark.test.items,
        "seeds": [{name: value for name, value in record.items() if name != "curve"} for record in records],
        "mean": mean(scores),
        "std": deviation(scores),
        "also": {name: _several([record["also"][name] for record in records]) for name in task.also},
        "constant_answers": sum(record.get("constant_answers", False) for record in records),
        "majority_baseline": benchmark.baseline,
        "baseline_is": METRICS[task.metric].baseline_is,
        "remark": benchmark.remark,
        "licence": task.licence,
        "source": task.source,
    }


def _several(scores: list[float]) -> dict[str, Any]:
    return {"mean": mean(scores), "std": deviation(scores)}


def _run_seeds(benchmark: Benchmark, finished: FinishedSeeds) -> None:
    """Runs the seeds that have no record yet."""
    seeds, each = benchmark.config.seeds, _passes(benchmark)
    test = protocol.TestSet(benchmark.test, benchmark.pad, benchmark.score, spent=finished.records)
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
    rows = benchmark.material.rows
    windows = round(benchmark.trained_on * len(rows) / max(rows.items, 1))
    epoch = TRAINING_PASSES * windows + len(benchmark.validation)
    return benchmark.config.epochs * epoch + len(benchmark.test)


def _run_seed(
    benchmark: Benchmark, finished: FinishedSeeds, test: protocol.TestSet, seed: int, advance: Advance
) -> None:
    """Fits, chooses the epoch, scores it on the test rows, and keeps the record."""
    started = time.monotonic()
    settings = Settings.of(benchmark.config, seed)
    model = load_classifier(benchmark.encoder, benchmark.task.labels, settings.dropout, seed, benchmark.task.head)
    torch.nn.Module.to(model, benchmark.device)
    training = benchmark.material.training_rows(benchmark.config.train_limit, seed)
    fitting = Fitting(model, training, benchmark.pad, settings)
    rows = benchmark.test
    outcome = protocol.fit(
        fitting, benchmark.validation, benchmark.pad, benchmark.score, advance, benchmark.config.patience
    )
    answers = test.answers(model, seed, lambda count: advance(count, "test"))
    record = {
        "seed": seed,
        "best_epoch": outcome.best_epoch,
        "validation": outcome.validation,
        "test": benchmark.score(answers, rows),
        "also": {name: benchmark.metric(name, answers, rows) for name in benchmark.task.also},
        "constant_answers": constant_answer(answers, rows),
        "seconds": round(time.monotonic() - started, 3),
        "tokens_per_second": outcome.tokens_per_second,
        "curve": outcome.curve,
    }
    if isinstance(rows, SpanRows):
        record["by_question_length"] = by_length(answers, rows)

    def save(folder: Path) -> None:
        save_classifier(folder, model, benchmark.tokenizer)
        labels, asked = benchmark.task.labels, benchmark.asked
        chosen_by = entries("validation", asked["validation"], outcome.answers, benchmark.validation, labels)
        write_jsonl(folder / PREDICTIONS, (*chosen_by, *entries("test", asked["test"], answers, rows, labels)))

    finished.add(record, save)
