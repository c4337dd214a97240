"""Fine-tuning beside transformers' `Trainer`: real tokens a second, and on wish both sides' scores over the seeds.

Ours is an epoch of `korbert.benchmarks.fitting`: rows of like length share a batch, a BERT's without padding, its last
layer computes the first token alone, its cores share a batch and not an operation, attention weights have no dropout.
The peer is the `Trainer` as `TrainingArguments` has it: random batches, `DataCollatorWithPadding`, AdamW as its `optim`
names it, gradients clipped at 1. Both get the same encoder, head, rows tokenised beforehand, batch, learning rate,
warm-up, weight decay and threads; a second peer has the batch that `TrainingArguments` has, too. Real tokens are
counted, padding never.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoTokenizer,
    DataCollatorWithPadding,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.training_args import OptimizerNames

from korbert import chain, tasks
from korbert.bench.measure import Measurement, Seconds, machine, versions
from korbert.benchmarks.batches import EncodedRows, padding, training_batches
from korbert.benchmarks.classifier import HEADS, check_inputs, load_classifier, predicted, read_config
from korbert.benchmarks.fitting import Fitting, Settings
from korbert.benchmarks.material import encoded_examples
from korbert.benchmarks.metrics import METRICS
from korbert.benchmarks.split import HELD_OUT_SEED
from korbert.benchmarks.tokens import load_tokenizer
from korbert.config import Config, FinetuneConfig
from korbert.errors import UsageError
from korbert.tasks import Examples, Task

ROWS = 2_000
"""Rows a round; half as many are evaluated where scores are asked for."""
DEFAULT_BATCH = int(TrainingArguments.per_device_train_batch_size)
"""What the `Trainer` trains on at a time unless it is told otherwise."""


class Sides:
    """The same rows for ours and for the peer."""

    def __init__(self, config: FinetuneConfig, task: Task, folder: Path, encoder: Path, count: int) -> None:
        self.config, self.task, self.encoder = config, task, encoder
        self.tokenizer = load_tokenizer(encoder)
        examples = task.train(folder)
        order = np.random.default_rng(HELD_OUT_SEED).permutation(len(examples.texts))
        if len(order) < 2 * config.batch:
            raise UsageError(f"{folder}: has {len(order)} rows; two batches of {config.batch} are the least")
        count = min(count, len(order) * 2 // 3)
        self.training, self.validation = (
            encoded_examples(task, _subset(examples, part), self.tokenizer, config.max_tokens)[0]
            for part in (order[:count], order[count : count + count // 2])
        )
        check_inputs(encoder, self.training)
        check_inputs(encoder, self.validation)

    def fitting(self, seed: int, epochs: int) -> Fitting:
        """Ours, before its first epoch."""
        model = load_classifier(self.encoder, self.task.labels, self.config.dropout, seed, self.task.head)
        settings = replace(Settings.of(self.config, seed), epochs=epochs)
        return Fitting(model, self.training, self.tokenizer.pad, settings)

    def score(self, model: PreTrainedModel) -> float:
        """Of the validation rows, by our code for both."""
        answers = predicted(model, self.validation, self.tokenizer.pad)
        return METRICS[self.task.metric].score(answers, self.validation, self.task.labels)


class Peer:
    """A `Trainer` on the same rows, from the same head; `batch` None: with our batch."""

    def __init__(
        self, sides: Sides, seed: int, epochs: int, attention_dropout: float, folder: str, batch: int | None = None
    ) -> None:
        config, batch = sides.config, batch or sides.config.batch
        self.model = peer_model(sides, seed, attention_dropout)
        self._clock = _Clock()
        steps = epochs * -(-len(sides.training) // batch)
        self._trainer = Trainer(
            model=self.model,
            args=TrainingArguments(
                output_dir=folder, per_device_train_batch_size=batch, num_train_epochs=epochs, use_cpu=True,
                learning_rate=config.lr, warmup_steps=int(config.warmup * steps), weight_decay=config.weight_decay,
                seed=seed, save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True,
                dataloader_pin_memory=False,
            ),
            train_dataset=peer_rows(sides.training),
            data_collator=DataCollatorWithPadding(AutoTokenizer.from_pretrained(sides.encoder, local_files_only=True)),
            callbacks=[self._clock],
        )  # fmt: skip
        self._trainer.remove_callback(PrinterCallback)

    @property
    def optimizer(self) -> str:
        """What `TrainingArguments` has as its optimiser."""
        return OptimizerNames(self._trainer.args.optim).value

    @property
    def steps(self) -> int:
        """Optimiser steps done by the last `train`."""
        return int(self._trainer.state.global_step)

    def train(self) -> Seconds:
        """All epochs: from the making of the first batch to the end of the last step, without what `Trainer.train` sets
        up before and tells after."""
        self._clock.begun = False
        self._trainer.train()
        return self._clock.began.until(self._clock.ended)


class _Clock(TrainerCallback):
    begun = False
    began = ended = Seconds(0, 0)

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        if not self.begun:
            self.begun, self.began = True, Seconds.now()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ended = Seconds.now()


def peer_model(sides: Sides, seed: int, attention_dropout: float) -> PreTrainedModel:
    """The model that transformers loads, with our head's weights and our dropout elsewhere."""
    ours = load_classifier(sides.encoder, sides.task.labels, sides.config.dropout, seed, sides.task.head)
    fields = ours.config
    fields.attention_probs_dropout_prob = attention_dropout
    model: PreTrainedModel = HEADS[sides.task.head].from_config(fields)  # type: ignore[no-untyped-call]
    model.load_state_dict(ours.state_dict())
    model.train()
    return model


def peer_rows(rows: EncodedRows) -> list[dict[str, Any]]:
    """Rows as a tokenised data set holds them."""
    numbers = np.arange(len(rows))
    examples: list[dict[str, Any]] = []
    for number in range(len(rows)):
        ids = rows.row(number).tolist()
        types = rows.types(numbers[number : number + 1], len(ids))
        segments = {} if types is None else {"token_type_ids": types[0].tolist()}
        examples.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": int(rows.labels[number])})
        examples[-1] |= segments
    return examples


def _subset(examples: Examples, numbers: np.ndarray[Any, np.dtype[np.int64]]) -> Examples:
    seconds = examples.seconds
    return Examples(
        [examples.texts[n] for n in numbers],
        examples.labels[numbers],
        seconds=None if seconds is None else [seconds[n] for n in numbers],
    )


def measure(
    config: Config, encoder: Path, rounds: int, rows: int = ROWS, *, attention_dropout: float | None = None,
    scores: bool = False,
) -> Measurement:  # fmt: skip
    """Trains both on the same rows, an epoch a round, and to the end with every seed where `scores` says so.

    Args:
        config: section finetune: task, data, batch, learning rate, epochs and seeds of the scores.
        encoder: a folder that transformers loads.
        rounds: counted rounds, after an uncounted one.
        rows: training rows.
        attention_dropout: the peer's dropout of attention weights; None: as the encoder's config has it.
        scores: whether both are trained to the end and evaluated too.

    Raises:
        UsageError: for a task whose rows are not labelled whole, or an encoder or file that cannot be used.
    """
    task = tasks.task(config.finetune.task).at(chain.benchmark_folder(config))
    if task.head != "sentence":
        raise UsageError(f"--task {config.finetune.task}: must be one that labels texts whole, or pairs of texts")
    sides = Sides(config.finetune, task, chain.benchmark_folder(config), encoder, rows)
    dropout = attention_dropout
    if dropout is None:
        dropout = float(getattr(read_config(encoder), "attention_probs_dropout_prob", 0.0))
    with tempfile.TemporaryDirectory(prefix="korbert-bench-") as folder:
        taken, optimizer = _rounds(sides, rounds, dropout, folder)
        details = _speed(sides, taken) | _setting(sides)
        details |= {"peer_attention_dropout": dropout, "peer_optimizer": optimizer}
        if scores:
            details |= _scores(sides, dropout, folder)
    tokens = int(sides.training.lengths.sum())
    return Measurement(
        name="finetune",
        peer_name="transformers",
        unit="real tokens/s",
        ours=[tokens / ours.wall for ours, _, _ in taken],
        peer=[tokens / peer.wall for _, peer, _ in taken],
        machine=machine(),
        details=details,
        notes=_notes(details),
    )


def _rounds(
    sides: Sides, rounds: int, attention_dropout: float, folder: str
) -> tuple[list[tuple[Seconds, Seconds, Seconds]], str]:
    """What an epoch took, by round: ours, the peer with our batch, the peer with its own."""
    seed = sides.config.seeds[0]
    fitting, peer = sides.fitting(seed, rounds + 1), Peer(sides, seed, 1, attention_dropout, folder)
    by_default = Peer(sides, seed, 1, attention_dropout, folder, DEFAULT_BATCH)
    taken = []
    for number in range(1, rounds + 2):
        began = Seconds.now()
        fitting.epoch(number)
        taken.append((began.until(Seconds.now()), peer.train(), by_default.train()))
    return taken[1:], peer.optimizer


def _scores(sides: Sides, attention_dropout: float, folder: str) -> dict[str, Any]:
    """Both sides' scores after the last epoch, by seed."""
    ours, peers = [], []
    for seed in sides.config.seeds:
        fitting = sides.fitting(seed, sides.config.epochs)
        for number in range(1, sides.config.epochs + 1):
            fitting.epoch(number)
        ours.append(round(sides.score(fitting.model), 4))
        peer = Peer(sides, seed, sides.config.epochs, attention_dropout, folder)
        peer.train()
        peers.append(round(sides.score(peer.model), 4))
    means = {"score_mean": round(statistics.fmean(ours), 4), "peer_score_mean": round(statistics.fmean(peers), 4)}
    return {"metric": sides.task.metric, "scores": ours, "peer_scores": peers, **means}


def _speed(sides: Sides, taken: list[tuple[Seconds, Seconds, Seconds]]) -> dict[str, Any]:
    tokens = int(sides.training.lengths.sum())

    def rate(place: int) -> int:
        return round(statistics.median(tokens / seconds[place].processor for seconds in taken))

    def ratio(place: int, clock: int) -> float:
        return round(statistics.median(seconds[place][clock] / seconds[0][clock] for seconds in taken), 3)

    return {
        "ours_a_processor_second": rate(0),
        "peer_a_processor_second": rate(1),
        "ratio_processor": ratio(1, 1),
        "peer_default_batch": DEFAULT_BATCH,
        "peer_of_default_batch": round(statistics.median(tokens / seconds[2].wall for seconds in taken)),
        "peer_of_default_batch_a_processor_second": rate(2),
        "ratio_of_default_batch": ratio(2, 0),
        "ratio_of_default_batch_processor": ratio(2, 1),
    }


def _setting(sides: Sides) -> dict[str, Any]:
    config, lengths = sides.config, sides.training.lengths
    order = np.random.default_rng(0).permutation(len(lengths))
    random = [order[begin : begin + config.batch] for begin in range(0, len(order), config.batch)]
    return {
        "task": config.task,
        "rows": len(lengths),
        "validation_rows": len(sides.validation),
        "mean_tokens": round(float(lengths.mean()), 1),
        "padding": round(padding(lengths, training_batches(lengths, config.batch, config.seeds[0], 1)), 4),
        "padding_of_random_batches": round(padding(lengths, random), 4),
        "batch": config.batch,
        "epochs": config.epochs,
        "lr": config.lr,
        "dropout": config.dropout,
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
        **versions("torch", "transformers", "accelerate"),
    }


def _notes(details: dict[str, Any]) -> list[str]:
    lines = [
        f"  by processor time: ours {details['ours_a_processor_second']:,}, peer "
        f"{details['peer_a_processor_second']:,} a processor second, ratio {details['ratio_processor']:.2f}",
        f"  the peer with its default batch of {DEFAULT_BATCH}: {details['peer_of_default_batch']:,}, ratio "
        f"{details['ratio_of_default_batch']:.2f}, by processor time {details['ratio_of_default_batch_processor']:.2f}",
    ]
    if "scores" in details:
        lines.append(f"  {details['metric']} by seed: ours {details['scores']}, peer {details['peer_scores']}")
    return lines
