"""Batches a core can make, beside transformers' collator for masked tokens, and whether a training step waits for them.

Ours starts at the memory-mapped shards: samples are read in random order, split and swapped, masked by whole words with
an exact count, packed, dealt to ranks and laid out as the arrays that the model takes. The peer is given the same
samples as lists of ids in memory, special tokens known, and masks single tokens and pads: less work than ours. Both
count real tokens a second of processor time: what one core makes, whatever else the machine does. Reading from a disk
that is slower than the page cache comes on top.
"""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

from korbert.bench.measure import Measurement, alternate, machine, versions
from korbert.config import Config
from korbert.data.loader import Loader, StepBatch
from korbert.data.samples import Samples
from korbert.data.shards import TokenStore
from korbert.data.steps import Order
from korbert.model.build import build
from korbert.training.device import Accelerator, accelerator
from korbert.training.feed import Feed

ROUND_TOKENS = 1_000_000
"""Real tokens a round, about, where the caller does not choose its steps."""
PEER_BATCH = 16
PEER_BATCHES = 40
"""Batches of the peer a round."""
TRAINED_SAMPLES = 64
"""Samples a step where training is measured, or the recipe's batch where that is smaller."""
TRAINED_STEPS = 6


def measure(config: Config, tokens: Path, rounds: int, steps: int = 0) -> Measurement:
    """Makes the recipe's steps over the text in `tokens`, then trains some of them.

    Args:
        config: the recipe.
        tokens: a tokens artefact.
        rounds: counted rounds.
        steps: steps a round; 0: as many as have ROUND_TOKENS.

    Raises:
        UsageError: when there is no text in `tokens`.
    """
    store = TokenStore(tokens)
    samples = Samples(store, config.data, config.seed)
    batch = min(config.training.global_batch, len(samples))
    loader, numbers = _loader(config, samples, batch), itertools.count()
    together = steps or max(1, round(ROUND_TOKENS / (batch * samples.mean_length)))
    peer = _Peer(store, samples, config)

    def ours() -> int:
        first = next(numbers) * together
        windows = loader.windows(first, first + together)
        return sum(made.global_tokens for window in windows for made in window)

    rates = alternate(ours, peer.run, rounds, clock=time.process_time)
    rate = float(np.median(rates[0]))
    trained, stalled = _training(config, store, samples)
    return Measurement(
        "loader", "transformers", "real tokens/s a core", *rates, machine(),
        {
            "recipe": config.recipe,
            "global_batch": config.training.global_batch,
            "steps_a_round": together,
            "max_tokens": config.data.max_tokens,
            "mean_sample_tokens": round(float(samples.lengths.mean()), 1),
            "samples": len(samples),
            "step_tokens_a_second": round(trained),
            "step_waits_for_data": round(stalled, 4),
            "cores_to_feed_the_step": round(trained / rate, 4),
            "data_bound": trained > rate,
            "device": accelerator(config.training, 0).kind,
            "threads": torch.get_num_threads(),
            "load": round(os.getloadavg()[0], 2),
            **versions("numpy", "transformers"),
        },
    )  # fmt: skip


def _loader(config: Config, samples: Samples, batch: int) -> Loader:
    training = config.training
    return Loader(
        samples,
        Order(len(samples), min(batch, len(samples)), config.seed),
        row_tokens=training.row_tokens,
        rows_per_micro_batch=training.rows_per_micro_batch,
        rank=0,
        world=1,
    )


def _training(config: Config, store: TokenStore, samples: Samples) -> tuple[float, float]:
    """Real tokens a second of forward and backward passes fed by the loader's own thread, and the share of the time in
    which they wait for it; a first step is not counted."""
    device = accelerator(config.training, 0)
    torch.manual_seed(config.seed)
    model = build(config.model, store.vocab_size, store.special.pad).to(device.device)
    feed, waited, tokens, began = Feed(device, store.special), 0.0, 0, 0.0
    loader = _loader(config, samples, min(config.training.global_batch, TRAINED_SAMPLES))
    batches = loader.batches(0, TRAINED_STEPS + 1)
    for number in range(TRAINED_STEPS + 1):
        asked = time.perf_counter()
        batch = next(batches)
        if number:
            waited, tokens = waited + time.perf_counter() - asked, tokens + batch.global_tokens
        _step(model, feed, batch, device)
        began = began or time.perf_counter()
    batches.close()
    seconds = time.perf_counter() - began
    return tokens / seconds, waited / seconds


def _step(model: torch.nn.Module, feed: Feed, batch: StepBatch, device: Accelerator) -> None:
    for inputs in feed(batch):
        with device.autocast():
            losses = model(*inputs)
        (losses.mlm / batch.global_masked + losses.sop / batch.global_samples).backward()
    model.zero_grad()
    device.step_ended()
    device.synchronize()


class _Peer:
    def __init__(self, store: TokenStore, samples: Samples, config: Config) -> None:
        self._collator = DataCollatorForLanguageModeling(_tokenizer(store), mlm_probability=config.data.mask_rate)
        order = Order(len(samples), min(PEER_BATCH, len(samples)), config.seed)
        self._batches = itertools.cycle([
            [_example(samples, int(number)) for number in order.ids(step)] for step in range(PEER_BATCHES)
        ])  # fmt: skip

    def run(self) -> int:
        """Collates, and counts what is no padding."""
        return sum(self._collate(next(self._batches)) for _ in range(PEER_BATCHES))

    def _collate(self, batch: list[dict[str, list[int]]]) -> int:
        self._collator(batch)
        return sum(len(example["input_ids"]) for example in batch)


def _example(samples: Samples, number: int) -> dict[str, list[int]]:
    """A sample unmasked, as a tokenised data set holds it."""
    sample = samples.draw(0, number)
    tokens, special = sample.tokens.copy(), np.zeros(len(sample.tokens), dtype=np.int64)
    tokens[sample.masked] = sample.labels
    special[[0, int(np.count_nonzero(sample.segments == 0)) - 1, -1]] = 1
    return {"input_ids": tokens.tolist(), "special_tokens_mask": special.tolist()}


def _tokenizer(store: TokenStore) -> Any:
    """What the collator asks of a tokenizer: its size, the mask and the padding; no text is read."""
    names = {store.special.pad: "[PAD]", store.special.unk: "[UNK]", store.special.mask: "[MASK]"}
    entries = {names.get(number, str(number)): number for number in range(store.vocab_size)}
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer(models.WordLevel(entries, unk_token="[UNK]")),
        pad_token="[PAD]",
        unk_token="[UNK]",
        mask_token="[MASK]",
    )
