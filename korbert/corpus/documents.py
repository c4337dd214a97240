"""The corpus artefact's records: documents of sentences, in numbered shards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from korbert.errors import UsageError
from korbert.storage import read_jsonl

FUNNEL = "funnel.json"
REJECTS = "rejects.jsonl.zst"


@dataclass(frozen=True)
class Document:
    """A cleaned article. The title is a field of its own, not a sentence: it is no part of the running text."""

    id: str
    date: str
    """ISO day in Korea; empty where unknown."""
    press: str
    section: str
    title: str
    sentences: list[str]


def shard_name(number: int) -> str:
    """The file of one shard."""
    return f"documents-{number:05d}.jsonl.zst"


def read_documents(folder: Path) -> Iterator[Document]:
    """All documents of a corpus artefact, in corpus order.

    Raises:
        UsageError: when the folder holds no shard, a shard between two others is missing, or a line is damaged.
    """
    paths = sorted(folder.glob("documents-*.jsonl.zst"))
    if [path.name for path in paths] != [shard_name(number) for number in range(len(paths))] or not paths:
        raise UsageError(f"{folder}: holds no whole set of document shards; run: korbert run --from corpus")
    for path in paths:
        for record in read_jsonl(path):
            try:
                yield Document(**record)
            except TypeError as error:
                raise UsageError(f"{path}: holds a record that is no document ({error})") from error
