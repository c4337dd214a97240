"""Files of articles, read without a network: web archives, Wikipedia's dumps, JSON Lines. A module a format.

Each has `read(path, start, origin, skipped)`: it yields articles with the position after each, so that reading goes on
from the last position that was stored; `skipped` counts what was no article, by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from crawler.archives import jsonl, warc, wikipedia
from crawler.archives.origin import Origin
from korbert.db.article import Article

__all__ = ["READERS", "Origin", "Read"]

Read = Callable[[str, int, Origin, "Counter[str]"], Iterator[tuple[int, Article]]]

READERS: dict[str, Read] = {"jsonl": jsonl.read, "warc": warc.read, "wikipedia": wikipedia.read}
"""By kind."""
