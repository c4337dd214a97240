"""Speed claims, each measured beside a peer in the same process, alternating, medians of several rounds.

A benchmark measures; nothing here passes or fails.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from korbert.bench.measure import Measurement
from korbert.config import Config
from korbert.errors import UsageError

PEERS = {
    "pretrain": ("transformers",),
    "crawl": ("raw fetching",),
    "ingest": ("execute_values",),
    "encode": ("datasets.map",),
    "corpus": ("datasketch",),
    "loader": ("transformers",),
    "sweep": ("ray tune", "a process each"),
    "finetune": ("transformers",),
}


def run(
    name: str,
    config: Config,
    *,
    against: str = "",
    tokens: Path | None = None,
    text: Path | None = None,
    max_tokens: int | None = None,
    attention_dropout: float | None = None,
    articles: Path | None = None,
    rounds: int = 5,
    size: int = 0,
    rows: int = 0,
    model: Path | None = None,
    scores: bool = False,
) -> Measurement:
    """Measures benchmark `name` of a recipe's shape against a peer.

    Args:
        name: which benchmark.
        config: model, data and batch shape; the crawl's settings.
        against: the peer; empty: the benchmark's first, and for pretrain none.
        tokens: pretrain, loader, encode: a tokens artefact (encode reads the corpus and the tokenizer beside it);
            None: the newest under runs/.
        text: pretrain: articles in the place of `tokens`, encoded for this one measurement.
        max_tokens: pretrain: tokens of a sample at most; None: 512, BERT's; 0: the recipe's.
        attention_dropout: pretrain, finetune: the peer's; None: as its hidden dropout, as the encoder's config has it.
        articles: corpus: JSON Lines with the articles to plant duplicates into; None: generated ones.
        rounds: counted rounds, after one of warm-up.
        size: crawl: articles a round; ingest: rows in all; corpus: articles; encode:
            documents a round; loader: steps a round; pretrain: articles of `text`; sweep: trials; finetune: training
            rows; 0: the benchmark's own.
        rows: finetune: training rows of a round, for `size`; sweep: of a trial; 0: the benchmark's own.
        model: finetune, sweep: the encoder's folder; None: one of the recipe's shape, not trained.
        scores: finetune: whether both sides are trained to the end and evaluated.

    Raises:
        UsageError: for an unknown name or peer, fewer than 3 rounds, or no encoded text.
    """
    if name not in PEERS:
        raise UsageError(f"bench {name!r}: there is no such benchmark; there are: {', '.join(PEERS)}")
    if against and against not in PEERS[name]:
        raise UsageError(f"--against {against!r}: must be one of: {', '.join(PEERS[name])}")
    if rounds < 3:
        raise UsageError(f"--rounds {rounds}: must be at least 3, or there is no median to speak of")
    for option, value in (("size", size), ("rows", rows)):
        if value < 0:
            raise UsageError(f"--{option} {value}: must be 1 or more, or 0 for the benchmark's own")
    # Each is imported where it runs: a crawler's image has no torch.
    if name == "crawl":
        from korbert.bench import crawl

        return crawl.measure(config, rounds, size or crawl.ARTICLES)
    if name == "ingest":
        from korbert.bench import ingest

        return ingest.measure(rounds, size or ingest.ROWS)
    if name == "corpus":
        from korbert.bench import corpus

        return corpus.measure(config, rounds, size or corpus.ARTICLES, articles)
    if name == "encode":
        from korbert.bench import encode

        return encode.measure(config, tokens or _newest_tokens(), rounds, size or encode.DOCUMENTS)
    if name == "sweep":
        from korbert.bench import sweep

        return sweep.measure(config, rounds, size or sweep.TRIALS, model, rows, against or PEERS[name][0])
    if name == "finetune":
        return _finetune(config, model, rounds, rows or size, attention_dropout, scores)
    if name == "loader":
        from korbert.bench import loader

        return loader.measure(config, tokens or _newest_tokens(), rounds, size)
    return _pretrain(config, tokens, text, rounds, size, max_tokens, bool(against), attention_dropout)


def _pretrain(
    config: Config, tokens: Path | None, text: Path | None, rounds: int, size: int, max_tokens: int | None,
    against: bool, attention_dropout: float | None,
) -> Measurement:  # fmt: skip
    from korbert.bench import pretrain
    from korbert.bench import text as texts

    if tokens and text:
        raise UsageError("--tokens, --text: one of them says what is trained on; leave the other out")
    _check_probability(attention_dropout)
    length = pretrain.MAX_TOKENS if max_tokens is None else max_tokens
    config = pretrain.lengthened(config, length) if length else config
    measure = partial(pretrain.measure, config, rounds=rounds, against=against, attention_dropout=attention_dropout)
    if text is None:
        return measure(tokens=tokens or _newest_tokens())
    with texts.encoded(config, text, size or texts.ARTICLES) as folder:
        return measure(tokens=folder)


def _finetune(
    config: Config, model: Path | None, rounds: int, size: int, attention_dropout: float | None, scores: bool
) -> Measurement:
    from korbert.bench import finetune, sweep

    _check_probability(attention_dropout)
    with tempfile.TemporaryDirectory(prefix="korbert-bench-") as folder:
        if model is None:
            model = Path(folder) / "encoder"
            sweep.make_encoder(config, model)
        return finetune.measure(
            config, model, rounds, size or finetune.ROWS, attention_dropout=attention_dropout, scores=scores
        )


def _check_probability(attention_dropout: float | None) -> None:
    if attention_dropout is not None and not 0 <= attention_dropout < 1:
        raise UsageError(f"--attention-dropout {attention_dropout:g}: is a probability: 0 or more, below 1")


def _newest_tokens() -> Path:
    manifests = sorted(Path("runs").glob("*/tokens/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        raise UsageError("--tokens: there is no encoded text under runs/; make some with: korbert run demo --to tokens")
    return manifests[-1].parent
