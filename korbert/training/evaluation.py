"""Held-out evaluation: how well the model predicts documents that training never sees, while it is trained.

Every evaluation asks the same: the same documents, cut, split and ordered alike, whole eojeols masked by a hash (15 %
of the tokens, all of them as [MASK]), whatever `data.*` says of masks and whatever the seed. So evaluations of one run
compare, and those of runs over the same tokens and `data.max_tokens`.

Bits per character are `mlm / ln 2 * tokens / characters`: the mean cross entropy of a masked token in bits, over the
characters that a token of the held-out documents stands for in the mean, spaces not counted. It is a pseudo-likelihood:
each masked token sees the text on both sides. Over different vocabularies it compares roughly: an [UNK] is cheap and
hides its characters, and the masks tell how many tokens a word has (korbert/comparison/bits.py is exact there).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from korbert.chain import Workspace
from korbert.config import Config, DataConfig
from korbert.corpus.documents import read_documents
from korbert.data.dealing import deal
from korbert.data.loader import StepBatch, collate
from korbert.data.order import Permutation
from korbert.data.samples import Samples
from korbert.data.shards import HELD_OUT, INDEX, TokenStore
from korbert.errors import UsageError, WorldError
from korbert.model.pretraining import Pretraining
from korbert.training.device import Accelerator
from korbert.training.feed import Feed, budget_of
from korbert.training.process_group import World

MASK_RATE = 0.15
"""Share of tokens predicted (BERT's)."""
SEED = 0
"""Of the cut, the choice of samples, their order of segments and their masks."""
KEY = "held_out"
"""Where a line of metrics, and the summary, hold what an evaluation found."""

# Samples laid out at once, over all ranks: bounds memory, not the result.
_TOGETHER = 1024

I64 = NDArray[np.int64]


class Evaluation:
    """The held-out samples of a training, and one rank's part of the work on them."""

    def __init__(
        self, store: TokenStore, config: Config, world: World, accelerator: Accelerator, characters: int = 0
    ) -> None:
        """Evaluates on the store's samples.

        Args:
            store: the held-out documents.
            config: the longest sample, the shape of micro-batches, and how many samples are taken.
            world: this rank among the others, which share the samples.
            accelerator: what the model is on.
            characters: characters of the store's documents, without spaces; 0: not known.
        """
        self._world, self._accelerator, self._training = world, accelerator, config.training
        fixed = DataConfig(
            max_tokens=config.data.max_tokens, short_probability=0, mask_rate=MASK_RATE, keep_rate=0, random_rate=0
        )
        self.samples = Samples(store, fixed, SEED)
        self._feed = self._made_feed(store, config)
        taken = min(config.training.evaluate_samples, len(self.samples))
        self.ids: I64 = Permutation(len(self.samples), SEED)(np.arange(taken))
        """The samples it is asked about (S,)."""
        self._characters_a_token = characters / store.tokens

    def _made_feed(self, store: TokenStore, config: Config) -> Feed:
        training, longest = config.training, config.data.max_tokens
        tokens = training.rows_per_micro_batch * training.row_tokens
        budget = budget_of(self.samples, tokens=tokens, longest=longest, mask_rate=MASK_RATE)
        return Feed(self._accelerator, store.special, budget if training.static_shapes else None)

    def due(self, done: int, steps: int) -> bool:
        """Whether the model is evaluated after `done` of `steps` steps: every so many, and at the end."""
        every = self._training.evaluate_every
        return done == steps or (every > 0 and done % every == 0)

    @torch.no_grad()
    def measure(self, model: Pretraining) -> dict[str, float]:
        """Losses in nats (mean over masked tokens, over samples), shares of right answers, bits per character where
        they are known. All ranks must call; the model's mode and all random numbers stay as they were."""
        before = model.training
        model.eval()
        sums = torch.zeros(4, dtype=torch.float64, device=self._accelerator.device)
        for batch in self.batches():
            for inputs in self._feed(batch) if batch.micro_batches else ():
                with self._accelerator.autocast():
                    losses = model(*inputs)
                sums += torch.stack([value.double() for value in losses])
            self._accelerator.step_ended()
        model.train(before)
        if self._world.size > 1:
            dist.all_reduce(sums)
        return self._means(self._accelerator.read(sums))

    def _means(self, sums: list[float]) -> dict[str, float]:
        masked, samples = int(self.samples.masked_counts(self.ids).sum()), len(self.ids)
        mlm = sums[0] / masked
        means = {
            "mlm": mlm,
            "sop": sums[1] / samples,
            "mlm_accuracy": sums[2] / masked,
            "sop_accuracy": sums[3] / samples,
        }
        if self._characters_a_token:
            means["bits_per_character"] = mlm / math.log(2) / self._characters_a_token
        return means | {"samples": samples, "masked": masked}

    def batches(self) -> Iterator[StepBatch]:
        """This rank's micro-batches; over all ranks each sample is in one of them."""
        training = self._training
        for begin in range(0, len(self.ids), _TOGETHER):
            ids = self.ids[begin : begin + _TOGETHER]
            mine, _, bounds = deal(
                self.samples.lengths[ids],
                np.array([len(ids)]),
                training.row_tokens,
                training.rows_per_micro_batch,
                self._world.rank,
                self._world.size,
            )
            found = [part for part in collate(self.samples, 0, ids[mine], bounds, None) if part]
            yield StepBatch(
                step=0,
                epoch=0,
                step_in_epoch=begin // _TOGETHER,
                samples=ids[mine].tolist(),
                micro_batches=[*found],
                global_samples=len(ids),
                global_tokens=int(self.samples.lengths[ids].sum()),
                global_masked=int(self.samples.masked_counts(ids).sum()),
            )


def evaluation_of(
    config: Config, workspace: Workspace, world: World, accelerator: Accelerator, warn: Callable[[str], None]
) -> Evaluation | None:
    """The evaluation that `training.evaluate_*` asks for; None where it asks for none or no document is held out, of
    which rank 0 warns where evaluations at intervals were asked for.

    Raises:
        UsageError: when the held-out tokens are damaged.
    """
    training, folder = config.training, workspace.path("tokens") / HELD_OUT
    if not training.evaluate_samples:
        return None
    store = TokenStore(folder) if (folder / INDEX).is_file() else None
    if store is None or not store.tokens:
        if training.evaluate_every and world.leads:
            warn(
                f"training.evaluate_every = {training.evaluate_every}: {folder} holds no documents, so none are "
                "evaluated; corpus.held_out says what share is held out"
            )
        return None
    characters = held_out_characters(workspace.path("corpus"), store) if world.leads else 0
    return Evaluation(store, config, world, accelerator, characters)


def held_out_characters(corpus: Path, store: TokenStore) -> int:
    """Characters of the held-out documents, without spaces; 0 where the corpus that the tokens were made from is not
    here any more, or not whole."""
    try:
        counts = [
            sum(len("".join(sentence.split())) for sentence in document.sentences)
            for document in read_documents(corpus, held_out=True)
        ]
    except (UsageError, WorldError):
        return 0
    return sum(counts) if len(counts) == sum(held.documents for held in store.counts) else 0
