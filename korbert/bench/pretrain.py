"""Pre-training steps: real tokens a second, the share of this machine's matrix rate, and where the time goes.

Ours is what the recipe's training does (`korbert.bench.step`), in as many worker processes of as many threads as it
trains with. Beside it, on wish, `korbert.bench.peer`: transformers' Trainer in one process with a thread a core, as it
comes, on the same samples, masks, first weights and hidden dropout. Real tokens are counted, padding never. Rounds
alternate, and each is timed by the wall clock and by processor time; one side waits while the other trains.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from korbert.bench.breakdown import chart
from korbert.bench.measure import Measurement, machine, versions
from korbert.bench.peer import Peer, examples
from korbert.bench.roofline import matrix_rate
from korbert.bench.step import Ours
from korbert.bench.workers import Workers, workers_of
from korbert.config import Config
from korbert.data.loader import StepBatch
from korbert.errors import UsageError
from korbert.training.device import accelerator

# Samples a round at least, by the kind of device: a second or two of work, and several rounds a minute.
ROUND_SAMPLES = {"cpu": 64, "cuda": 2048, "tpu": 2048}
MAX_TOKENS = 512


def lengthened(config: Config, max_tokens: int) -> Config:
    """The recipe with samples and rows of at most `max_tokens`, and as many rows a micro-batch as it had."""
    return replace(
        config,
        data=replace(config.data, max_tokens=max_tokens),
        model=replace(config.model, max_positions=max(max_tokens, config.model.max_positions)),
        training=replace(config.training, row_tokens=max_tokens),
    )


def measure(
    config: Config, tokens: Path, rounds: int, *, against: bool = True, attention_dropout: float | None = None
) -> Measurement:
    """Trains ours, and the peer where `against` says so, on the first steps of the recipe's order over `tokens`.

    Args:
        config: model, data and batch shape.
        tokens: a tokens artefact.
        rounds: counted rounds of some steps each, after an uncounted one.
        against: whether the peer trains too.
        attention_dropout: the peer's dropout of attention weights; None: as its hidden dropout, as BERT has it. Ours
            has none.

    Raises:
        UsageError: when there is no text in `tokens`, the peer has no such architecture, or the machine has not what
            the recipe asks for.
        WorldError: when a worker process is lost.
    """
    if against:
        _require_peer(config)
    device = accelerator(config.training, 0)
    # This process trains nothing of ours: it knows what the workers are given, and gives it to the peer.
    whole = Ours(config, tokens, accelerator=device)
    steps = -(-ROUND_SAMPLES[device.kind] // whole.size)
    dropout = config.model.dropout if attention_dropout is None else attention_dropout
    with workers_of(config, tokens) as workers, tempfile.TemporaryDirectory(prefix="korbert-bench-") as folder:
        peer = Peer(whole.model, config.model, whole.store, dropout, folder, device) if against else None
        taken = [_round(workers, whole, peer, number * steps, steps) for number in range(rounds + 1)][1:]
        shares = workers.breakdown((rounds + 1) * steps, min(3, rounds) * steps)
    parts = {part: round(share, 4) for part, share in shares.items()}
    details = _speed(taken) | _setting(whole, steps) | {"breakdown": parts}
    if peer:
        details |= {"peer_attention_dropout": dropout, "peer_optimizer": peer.optimizer}
        details["peer_threads"] = torch.get_num_threads()
    return Measurement(
        name="pretrain",
        peer_name="transformers",
        unit="real tokens/s",
        ours=[one["tokens"] / one["ours"].wall for one in taken],
        peer=[one["tokens"] / one["peer"].wall for one in taken] if peer else [],
        machine=machine(),
        details=details,
        notes=_notes(details, shares),
    )


def _require_peer(config: Config) -> None:
    if config.model.architecture != "bert":
        kind = config.model.architecture
        raise UsageError(f"model.architecture = {kind!r}: the peer is a BERT; choose bert, or leave --against out")
    if torch.cuda.device_count() > 1:
        raise UsageError(
            f"--against transformers: its Trainer would split batches over {torch.cuda.device_count()} GPUs; name one "
            "with CUDA_VISIBLE_DEVICES=0 and set training.workers=1"
        )


def _round(workers: Workers, whole: Ours, peer: Peer | None, first: int, steps: int) -> dict[str, Any]:
    rate = matrix_rate(whole.accelerator)
    batches = [whole.loader.batch(step) for step in range(first, first + steps)]
    one = {
        "tokens": sum(batch.global_tokens for batch in batches),
        "flops": sum(map(whole.flops, batches)),
        "ours": workers.train(first, steps),
        "rate": rate,
    }
    if peer:
        one["peer"] = peer.train(_finished(batches))
    return one


def _finished(batches: list[StepBatch]) -> list[dict[str, Any]]:
    return examples([part for batch in batches for part in batch.micro_batches if part])


def _speed(taken: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the rounds; those by processor time are what an undisturbed machine would show more steadily."""
    wall = [one["flops"] / one["ours"].wall / one["rate"].wall for one in taken]
    processor = [one["flops"] / one["ours"].processor / one["rate"].processor for one in taken]
    speed = {
        "mfu": round(statistics.median(wall), 4),
        "mfu_processor": round(statistics.median(processor), 4),
        "matrix_gflops": round(max(one["rate"].wall for one in taken) / 1e9, 1),
        "matrix_gflops_a_core": round(max(one["rate"].processor for one in taken) / 1e9, 1),
        "ours_a_processor_second": round(statistics.median(o["tokens"] / o["ours"].processor for o in taken)),
    }
    if "peer" in taken[0]:
        pairs = [one["peer"].processor / one["ours"].processor for one in taken]
        speed["peer_a_processor_second"] = round(statistics.median(o["tokens"] / o["peer"].processor for o in taken))
        speed["ratio_processor"] = round(statistics.median(pairs), 3)
    return speed


def _setting(whole: Ours, steps: int) -> dict[str, Any]:
    config, device = whole.config, whole.accelerator
    return {
        "recipe": config.recipe,
        "parameters": sum(p.numel() for p in whole.model.parameters()),
        "vocabulary": whole.store.vocab_size,
        "max_tokens": config.data.max_tokens,
        "mean_sample_tokens": round(float(whole.samples.lengths.mean()), 1),
        "samples_a_round": whole.size * steps,
        "row_tokens": config.training.row_tokens,
        "rows_per_micro_batch": config.training.rows_per_micro_batch,
        "dropout": config.model.dropout,
        "device": device.kind,
        "precision": device.precision,
        "workers": config.training.workers,
        "threads": config.training.threads,
        "load": round(os.getloadavg()[0], 2),
        **versions("torch", "transformers", "accelerate"),
    }


def _notes(details: dict[str, Any], shares: dict[str, float]) -> list[str]:
    lines = []
    if "ratio_processor" in details:
        lines.append(
            f"  by processor time: ours {details['ours_a_processor_second']:,}, peer "
            f"{details['peer_a_processor_second']:,} a processor second, ratio {details['ratio_processor']:.2f}"
        )
    lines.append(
        f"  matrix rate   {details['matrix_gflops']:,.0f} GFLOP/s {details['precision']}; our step reaches "
        f"{details['mfu']:.1%} of it ({details['mfu_processor']:.1%} by processor time)"
    )
    return [*lines, "  where our step's time goes", *chart(shares)]
