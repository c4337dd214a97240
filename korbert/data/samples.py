"""Samples: stretches of documents, cut once; their split, order and masks are drawn anew each epoch.

A sample is a pure function of (seed, epoch, sample id) and of the step's mask rate: any process can make any sample at
any time, alone or together with others.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from korbert.config import DataConfig
from korbert.data.cutting import cut, targets
from korbert.data.drawing import SPECIAL_TOKENS, Drawn, arrange, flat
from korbert.data.draws import FATE, REPLACEMENT, SPLIT, SWAP, Draws
from korbert.data.masking import MOST_SAMPLES, Corruption, Rate, choose, join_words, masked_count
from korbert.data.ragged import offsets
from korbert.data.shards import TokenStore
from korbert.errors import UsageError

I64 = NDArray[np.int64]

# Text tokens drawn at once: more do not fit the caches of a core, fewer do not repay numpy's calls. Measured.
_TOGETHER = 1 << 15


@dataclass(frozen=True)
class Sample:
    """One training example of n tokens, k of them masked."""

    tokens: I64
    """Ids as the model sees them (n,)."""
    segments: I64
    """0 for [CLS], the first segment and its [SEP], 1 for the rest (n,)."""
    masked: I64
    """Indices of the tokens to predict (k,), ascending."""
    labels: I64
    """Their original ids (k,)."""
    swapped: int
    """1 when the later segment stands first."""


class Samples:
    """All samples of a token store. Every token of the store lies in exactly one."""

    def __init__(self, store: TokenStore, config: DataConfig, seed: int) -> None:
        """Cuts the store's documents.

        Raises:
            UsageError: when the store holds no token.
        """
        self._store, self._config, self._seed = store, config, seed
        self._corruption = Corruption.of(config, store.vocab_size, store.special)
        budget, document, bounds = config.max_tokens - SPECIAL_TOKENS, 0, []
        for shard in store.shards:
            aims = targets(np.arange(len(shard.document_ends)) + document, budget, config.short_probability, seed)
            bounds.append(cut(np.asarray(shard.sentence_ends), np.asarray(shard.document_ends), aims, budget, shard))
            document += len(shard.document_ends)
        if sum(len(b) - 1 for b in bounds) <= 0:
            raise UsageError("tokens: the encoded corpus holds no token; crawl more articles or relax corpus.*")
        self.shards: I64 = np.repeat(np.arange(len(bounds)), [len(b) - 1 for b in bounds])
        """Shard of each sample (samples,)."""
        self.begins: I64 = np.concatenate([b[:-1] for b in bounds])
        """First token of each sample within its shard (samples,)."""
        self.ends: I64 = np.concatenate([b[1:] for b in bounds])
        """One past the last token of each sample within its shard (samples,)."""
        self.lengths: I64 = self.ends - self.begins + SPECIAL_TOKENS
        """Tokens of each sample, special ones included (samples,)."""

        self.mean_length = float(self.lengths.mean())
        """Tokens of a sample, special ones included, on average."""

    def __len__(self) -> int:
        return len(self.lengths)

    def masked_counts(self, ids: I64, rate: Rate | None = None) -> I64:
        """Tokens predicted in samples (S,) at a mask rate or one of each, by default the config's; no draw comes in."""
        return masked_count(self.lengths[ids] - SPECIAL_TOKENS, self._config.mask_rate if rate is None else rate)

    def draw(self, epoch: int, sample: int, rate: float | None = None) -> Sample:
        """The sample as this epoch shows it at a mask rate, by default the config's."""
        drawn = self.draw_all(epoch, np.array([sample]), rate)
        return Sample(drawn.tokens, drawn.segments, drawn.masked, drawn.labels, int(drawn.swapped[0]))

    def draw_all(self, epoch: int, ids: I64, rate: Rate | None = None) -> Drawn:
        """The samples `ids` (S,), one after another: each is what `draw` answers for it alone."""
        sizes = self.lengths[ids] - SPECIAL_TOKENS
        parts = np.flatnonzero(np.diff(offsets(sizes)[:-1] // _TOGETHER, prepend=-1))
        bounds = [*parts.tolist(), len(ids)]
        counts = self.masked_counts(ids, rate)
        drawn = [self._draw(epoch, ids[begin:end], counts[begin:end]) for begin, end in pairwise(bounds)]
        return drawn[0] if len(drawn) == 1 else Drawn.joined(drawn)

    def _draw(self, epoch: int, ids: I64, counts: I64) -> Drawn:
        assert len(ids) <= MOST_SAMPLES
        draws, sizes = Draws(self._seed, epoch, ids), self.lengths[ids] - SPECIAL_TOKENS
        bounds = offsets(sizes)
        place = self.shards[ids], self.begins[ids]
        text, starts, splits = flat(self._store.shards, *place, bounds, draws.once(SPLIT))
        swapped = (draws.once(SWAP) >> np.uint64(63)).astype(np.int64)
        # No word reaches from one segment into the other.
        breaks = bounds[:-1] + splits % sizes
        starts[breaks] = True
        if not self._config.whole_words:
            starts[:] = True
        if self._config.ngram > 1:
            starts = join_words(starts, bounds, breaks, self._config.ngram, draws)
        drawn = arrange(text, choose(starts, bounds, counts, draws), bounds, splits, swapped, self._store.special)
        places = drawn.places[drawn.masked]
        fates, replacements = draws.at(FATE, counts, places), draws.at(REPLACEMENT, counts, places)
        drawn.tokens[drawn.masked] = self._corruption.apply(drawn.labels, fates, replacements)
        return drawn
