"""An encoded corpus for one measurement: the first articles of a file, through the stages of a run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from korbert.chain import Workspace
from korbert.config import Config
from korbert.corpus import build
from korbert.corpus.articles import RawArticle, Source
from korbert.corpus.sources import open_source
from korbert.data import encode
from korbert.errors import UsageError
from korbert.tokenizer import train

ARTICLES = 600
"""About 400,000 tokens of news, some minutes of work on two cores, most of it the splitting into sentences."""


@contextmanager
def encoded(config: Config, file: Path, articles: int = ARTICLES) -> Iterator[Path]:
    """The tokens artefact of the first `articles` of a file of articles; gone afterwards.

    Raises:
        UsageError: when there is no such file, or too little text in it for the recipe's tokenizer.
        WorldError: when the disk or a worker process is lost.
    """
    if not file.is_file():
        raise UsageError(f"--text {file}: there is no such file; name articles as .jsonl, .jsonl.zst or .parquet")
    with tempfile.TemporaryDirectory(prefix="korbert-bench-") as name:
        workspace = Workspace(Path(name))
        config = replace(config, corpus=replace(config.corpus, sources=(str(file.resolve()),)))
        workspace.save(config)
        build.run(config, workspace, [_First(open_source(str(file), config.corpus.licence), articles)])
        train.run(config, workspace)
        encode.run(config, workspace)
        yield workspace.path("tokens")


class _First:
    """A source's first articles."""

    def __init__(self, source: Source, articles: int) -> None:
        self.name, self._source, self._articles = source.name, source, articles

    def read(self, start: int = 0) -> Iterator[RawArticle]:
        """From the article with number `start` on."""
        return islice(self._source.read(start), max(0, self._articles - start))
