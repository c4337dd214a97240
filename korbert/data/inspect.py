"""A sample as people can read it: which document it is from, what was hidden, and what the model is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from korbert.chain import Workspace
from korbert.corpus.documents import Document, read_documents
from korbert.data.order import Permutation
from korbert.data.samples import Sample, Samples
from korbert.data.shards import HELD_OUT, Shard, TokenStore
from korbert.errors import UsageError
from korbert.tokenizer.scheme import MARK, PREFIX

TEXT, SPECIAL, MASKED, RANDOM, KEPT = "text", "special", "masked", "random", "kept"

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


@dataclass(frozen=True)
class ShownToken:
    """One token of a sample."""

    text: str
    """As the model sees it, without the marks of pieces."""
    original: str
    """As it stands in the document."""
    fate: str
    """text, special ([CLS], [SEP]), masked, random (another token in its place) or kept (itself, but predicted)."""
    segment: int
    starts_word: bool
    ends_sentence: bool
    starts_morpheme: bool = False
    """Known where the store holds morpheme starts only."""


@dataclass(frozen=True)
class ShownSample:
    """A sample in one epoch."""

    number: int
    epoch: int
    document: int
    """Position of its document among those of the store, which is the position in the corpus."""
    tokens: list[ShownToken]
    swapped: int
    """The sentence-order label: 1 when segment A is the later part."""

    def count(self, *fates: str) -> int:
        """Tokens with one of these fates."""
        return sum(token.fate in fates for token in self.tokens)

    @property
    def mask_rate(self) -> float:
        """Share of the text's tokens that are predicted."""
        return self.count(MASKED, RANDOM, KEPT) / max(1, len(self.tokens) - self.count(SPECIAL))


def open_store(workspace: Workspace, held_out: bool) -> TokenStore:
    """The workspace's encoded documents: those that training reads, or those it never sees.

    Raises:
        UsageError: when stage tokens has not finished, or no document is held out.
    """
    workspace.manifest("tokens")
    folder = workspace.path("tokens")
    if not held_out:
        return TokenStore(folder)
    if not (folder / HELD_OUT).is_dir():
        raise UsageError(
            f"--held-out: {workspace.root} has no held-out documents; corpus.held_out says what share it has"
        )
    return TokenStore(folder / HELD_OUT)


def drawn(samples: int, count: int, seed: int) -> list[int]:
    """`count` different samples, or all where there are fewer.

    Raises:
        UsageError: for a seed below 0.
    """
    if seed < 0:
        raise UsageError(f"--seed {seed}: must be 0 or more")
    return [int(number) for number in Permutation(samples, seed)(np.arange(min(count, samples)))]


def show(samples: Samples, store: TokenStore, tokenizer: Tokenizer, epoch: int, number: int) -> ShownSample:
    """Describes a sample of the store.

    Raises:
        UsageError: when there is no such sample or epoch.
    """
    if not 0 <= number < len(samples):
        raise UsageError(f"--sample {number}: must be 0 to {len(samples) - 1}, the samples of this run")
    if epoch < 0:
        raise UsageError(f"--epoch {epoch}: must be 0 or more")
    where, sample = int(samples.shards[number]), samples.draw(epoch, number)
    shard, begin, end = store.shards[where], int(samples.begins[number]), int(samples.ends[number])
    before = sum(counts.documents for counts in store.counts[:where])
    tokens = _tokens(sample, shard, begin, end, tokenizer, store.special.mask)
    return ShownSample(number, epoch, before + _document(shard, begin), tokens, sample.swapped)


def documents_at(corpus: Path, positions: Iterable[int], *, held_out: bool) -> Mapping[int, Document]:
    """The corpus' documents at these positions, read in one pass."""
    wanted = set(positions)
    last = max(wanted, default=-1) + 1
    found = enumerate(islice(read_documents(corpus, held_out=held_out), last))
    return {position: document for position, document in found if position in wanted}


def _document(shard: Shard, token: int) -> int:
    """The document within the shard that holds a token; those without one are passed over."""
    sentence = np.searchsorted(shard.sentence_ends, token, side="right")
    return int(np.searchsorted(shard.document_ends, sentence, side="right"))


def _tokens(sample: Sample, shard: Shard, begin: int, end: int, tokenizer: Tokenizer, mask: int) -> list[ShownToken]:
    n = end - begin
    # The sample holds [CLS], A, [SEP], B, [SEP]; place of each of its n text tokens in the document's own order.
    first = int((sample.segments == 0).sum()) - 2
    order = np.roll(np.arange(n), first - n) if sample.swapped else np.arange(n)
    positions = np.concatenate([np.arange(first) + 1, np.arange(first, n) + 2])
    place = dict(zip(positions.tolist(), order.tolist(), strict=True))
    originals = shard.tokens(begin, end).tolist()
    starts = shard.starts(begin, end).tolist()
    morphemes = shard.morphemes.between(begin, end).tolist() if shard.morphemes else [False] * n
    first_end, last_end = np.searchsorted(shard.sentence_ends, [begin, end], side="right")
    ends = set((shard.sentence_ends[first_end:last_end] - begin - 1).tolist())
    hidden = set(sample.masked.tolist())
    shown = []
    for position, seen in enumerate(sample.tokens.tolist()):
        at = place.get(position)
        original = seen if at is None else originals[at]
        fate = SPECIAL if at is None else _fate(seen, original, mask) if position in hidden else TEXT
        word, morpheme = (at is not None and flags[at] for flags in (starts, morphemes))
        pieces, segment = (_piece(tokenizer, seen), _piece(tokenizer, original)), int(sample.segments[position])
        shown.append(ShownToken(*pieces, fate, segment, word, at in ends, morpheme))
    return _readable(shown)


def _fate(seen: int, original: int, mask: int) -> str:
    if seen == mask:
        return MASKED
    return KEPT if seen == original else RANDOM


def _piece(tokenizer: Tokenizer, number: int) -> str:
    """A token without the marks of its place in a word; the mark alone stays."""
    piece = tokenizer.id_to_token(number) or f"[{number}]"
    for mark in (PREFIX, MARK):
        if len(piece) > len(mark):
            piece = piece.removeprefix(mark)
    return piece


def _readable(tokens: list[ShownToken]) -> list[ShownToken]:
    """Runs of single bytes as the characters they spell: on the first token of a run, the others get no text."""
    shown: list[ShownToken] = []
    run: list[ShownToken] = []
    for token in tokens:
        if token.fate == TEXT and _BYTE.fullmatch(token.text) and not (token.starts_word and run):
            run.append(token)
            continue
        shown += _spelt(run)
        run = [token] if token.fate == TEXT and _BYTE.fullmatch(token.text) else []
        shown += [] if run else [token]
    return shown + _spelt(run)


def _spelt(run: list[ShownToken]) -> list[ShownToken]:
    content = bytes(int(match[1], 16) for token in run if (match := _BYTE.fullmatch(token.text)))
    texts = [content.decode("utf-8", "backslashreplace")] + [""] * (len(run) - 1)
    return [replace(token, text=text) for text, token in zip(texts, run, strict=False)]
