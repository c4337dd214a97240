"""Stage `tokens`: documents to token shards, ids without special tokens, and where each eojeol starts.

Worker processes encode batches of documents, this one writes them in the corpus' order: the bytes do not depend on the
number of workers. Finished shards wait in a workbench, where the next attempt finds them after `kill -9`.
"""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from korbert import chain
from korbert.config import Config, DataConfig
from korbert.corpus.documents import read_documents
from korbert.corpus.engine import LocalEngine, batched
from korbert.data.census import write_census
from korbert.data.eojeols import EojeolEncoder
from korbert.data.morphemes import ANALYSER
from korbert.data.shard_writer import token_frequency, write_index, write_shards
from korbert.data.shards import (
    HELD_OUT,
    EncodedBatch,
    ShardCounts,
    Special,
    TokenStore,
    TokenType,
    morphemes_file,
    open_shard,
    shard_files,
    token_dtype,
)
from korbert.errors import UsageError
from korbert.progress import Meter, meter
from korbert.storage import Draft, Manifest, publishing, read_json, workbench, write_json
from korbert.tokenizer.analysers import require
from korbert.tokenizer.model import analyser_of, load
from korbert.tokenizer.text import open_tokenizer
from korbert.tokenizer.vocabulary import SPECIAL

BATCH = 256
"""Documents a worker is given at once: a tenth of a second of its work."""

_Documents = list[list[str]]
_Encode = Callable[[_Documents], EncodedBatch]


def run(config: Config, workspace: chain.Workspace) -> Manifest:
    """Publishes the tokens artefact; an interrupted encoding goes on after its last finished shard.

    Raises:
        UsageError: when the corpus holds nothing that gives a token.
        WorldError: when the disk or a worker process is lost.
    """
    plan = chain.plan(config, workspace, "tokens")
    corpus, folder = workspace.path("corpus"), workspace.path("tokenizer")
    morphemes = _wanted(config.data)
    with workbench(plan) as work:
        encode_corpus(corpus, folder, work, config.data, workspace.manifest("corpus").counts["documents"])
        if sum(shard.tokens for shard in finished(work)):
            with publishing(plan, seconds=_seconds(work)) as draft:
                publish_store(work, draft, folder, morphemes=morphemes)
                write_census(corpus, draft)
                draft.licences |= workspace.manifest("corpus").licences
            return workspace.manifest("tokens")
    raise UsageError(f"{corpus}: its documents give no token; run: korbert run --from corpus")


def encode_corpus(corpus: Path, tokenizer: Path, work: Path, config: DataConfig, documents: int = 0) -> None:
    """Writes the shards of a corpus artefact into `work`, those of held-out documents into a folder of it; shards that
    an earlier call has finished there are kept. `documents` is how many to expect, for the progress shown.

    Raises:
        UsageError: when an analyser that is needed is not installed.
    """
    dtype, morphemes = token_dtype(load(tokenizer).get_vocab_size()), _wanted(config)
    if morphemes and not analyser_of(tokenizer):
        require(ANALYSER, f"data.mask_unit = {config.mask_unit}: analyser")
    with LocalEngine(config.workers, "data.workers") as engine:
        encode = _encoder(tokenizer, config.workers, morphemes)
        for held_out, label in ((False, "tokens: documents encoded"), (True, "tokens: held-out documents encoded")):
            place = _part(work, held_out)
            place.mkdir(exist_ok=True)
            done = finished(place, dtype, morphemes=morphemes)
            skipped = sum(shard.documents for shard in done)
            texts = (document.sentences for document in read_documents(corpus, held_out=held_out))
            with meter(label, 0 if held_out else documents, done=skipped) as progress:
                batches = engine.ordered(encode, batched(islice(texts, skipped, None), BATCH))
                shards = write_shards(
                    place, _shown(batches, progress), dtype=dtype, shard_tokens=config.shard_tokens, first=len(done),
                    morphemes=morphemes,
                )  # fmt: skip
                _note(place, shards, len(done))


def finished(work: Path, dtype: TokenType | None = None, *, morphemes: bool = False) -> list[ShardCounts]:
    """The shards that are whole in `work`, from the first on; with their `dtype` given, their files are looked at."""
    counts: list[ShardCounts] = []
    for number in itertools.count():
        record = work / _record(number)
        if not record.is_file():
            return counts
        held = ShardCounts(**read_json(record)["counts"])
        if dtype is not None:
            try:
                open_shard(work, number, held, dtype, morphemes=morphemes)
            except UsageError:
                return counts
        counts.append(held)
    return counts


def publish_store(work: Path, draft: Draft, tokenizer_folder: Path, *, morphemes: bool = False) -> None:
    """Puts the finished shards of `work` into the draft, with the index over them and the counts of all."""
    tokenizer = load(tokenizer_folder)
    vocab_size, special = tokenizer.get_vocab_size(), special_ids(tokenizer)
    for held_out in (False, True):
        source, place = _part(work, held_out), _part(draft.path, held_out)
        shards = finished(source)
        if shards:
            place.mkdir(exist_ok=True)
            for number in range(len(shards)):
                for name in (*shard_files(number), *([morphemes_file(number)] if morphemes else [])):
                    _link(source / name, place / name)
            write_index(place, shards, vocab_size=vocab_size, special=special, morphemes=morphemes)
    _count(draft, special.unk)


def special_ids(tokenizer: Tokenizer) -> Special:
    """The special tokens' ids.

    Raises:
        UsageError: when the vocabulary lacks one.
    """
    ids = {}
    for token in SPECIAL:
        number = tokenizer.token_to_id(token)
        if number is None:
            raise UsageError(f"tokenizer: its vocabulary has no {token}; run: korbert run --from tokenizer")
        ids[token.strip("[]").lower()] = number
    return Special(**ids)


def _wanted(config: DataConfig) -> bool:
    """Whether morpheme starts are stored."""
    return config.mask_unit == "morpheme"


def _encoder(tokenizer: Path, workers: int, morphemes: bool) -> _Encode:
    """What encodes a batch: here, or in worker processes that open the tokenizer for themselves."""
    return _open(tokenizer, morphemes) if workers == 1 else partial(_in_worker, tokenizer, morphemes)


def _open(tokenizer: Path, morphemes: bool) -> EojeolEncoder:
    opened = open_tokenizer(tokenizer)
    return EojeolEncoder(opened.tokenizer, opened.segmented if opened.analyser else None, morphemes=morphemes)


# A worker's own, kept over its batches.
_opened = lru_cache(maxsize=1)(_open)


def _in_worker(tokenizer: Path, morphemes: bool, documents: _Documents) -> EncodedBatch:
    return _opened(tokenizer, morphemes)(documents)


def _shown(batches: Iterator[EncodedBatch], progress: Meter) -> Iterator[EncodedBatch]:
    tokens = 0
    for batch in batches:
        tokens += len(batch.tokens)
        progress.advance(len(batch.documents), note=f"{tokens:,} tokens")
        yield batch


def _note(work: Path, shards: Iterator[ShardCounts], first: int) -> None:
    """Records each shard when it is whole, with the seconds it took."""
    started = time.monotonic()
    for number, shard in enumerate(shards, first):
        now = time.monotonic()
        write_json(work / _record(number), {"counts": asdict(shard), "seconds": now - started})
        started = now


def _record(number: int) -> str:
    return f"shard-{number:05d}.json"


def _seconds(work: Path) -> float:
    """What all finished shards took, over all attempts."""
    return sum(float(read_json(record)["seconds"]) for record in work.rglob("shard-*.json"))


def _part(folder: Path, held_out: bool) -> Path:
    return folder / HELD_OUT if held_out else folder


def _link(source: Path, place: Path) -> None:
    """The same file in both places: a publication that is killed leaves the shards where they were."""
    try:
        os.link(source, place)
    except OSError:  # a file system without links
        shutil.copyfile(source, place)


def _count(draft: Draft, unknown: int) -> None:
    store = TokenStore(draft.path)
    held_out = draft.path / HELD_OUT
    frequency = token_frequency(draft.path, len(store.shards), store.vocab_size)
    draft.counts |= {
        "documents": sum(shard.documents for shard in store.counts),
        "sentences": sum(shard.sentences for shard in store.counts),
        "tokens": store.tokens,
        "held_out_tokens": TokenStore(held_out).tokens if held_out.is_dir() else 0,
        "vocab_size": store.vocab_size,
        "unigram_entropy": round(store.unigram_entropy, 6),
        "tokens_per_word": round(store.tokens / max(1, store.words), 4),
        "unknown_rate": round(int(frequency[unknown]) / max(1, store.tokens), 6),
        **({"tokens_per_morpheme": round(store.tokens / max(1, store.morphemes), 4)} if store.has_morphemes else {}),
        "bytes": sum(path.stat().st_size for path in draft.path.rglob("*") if path.is_file()),
    }
