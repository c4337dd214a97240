"""Articles of a JSON Lines file, plain or compressed (.gz, .zst, .bz2, .xz by the name's ending).

A line: `{"id", "title", "text", "date"}` (ISO 8601; without an offset it is Korean time), and where known `"url"`,
`"press"` (or `"source"`), `"section"`, `"byline"`, `"modified"`, `"licence"`, `"opt_out"`. A date is never made up:
a line without one is skipped. A licence of the line's own can forbid training (`crawler.licences`), never allow it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

import fsspec

from crawler.archives.origin import Origin
from crawler.licences import allows_training
from korbert.db.article import KST, Article
from korbert.errors import UsageError

LONGEST_LINE = 64 << 20
"""Bytes: a longer line is no article."""
_CHUNK = 1 << 20


class _Skipped(ValueError):
    """The line is no article; the text is the reason it is counted under."""


def read(path: str, start: int, origin: Origin, skipped: Counter[str]) -> Iterator[tuple[int, Article]]:
    """Articles from byte `start` on (of the decompressed file), each with the byte after it.

    Raises:
        UsageError: when the file cannot be read, or `start` lies beyond its end.
    """
    position = start
    try:
        with fsspec.open(path, "rb", compression="infer") as handle:
            _skip(handle, start, path)
            for raw in _lines(handle):
                position += len(raw)
                try:
                    if raw.strip():
                        yield position, _article(raw, origin)
                except _Skipped as reason:
                    skipped[str(reason)] += 1
    except (OSError, EOFError) as error:
        raise UsageError(f"{path}: cannot be read after byte {position} ({error}); name a whole file") from error
    except Exception as error:
        # zstandard, zlib and lzma have an error class of their own for damage.
        if type(error).__name__ not in ("ZstdError", "LZMAError", "error"):
            raise
        raise UsageError(f"{path}: damaged compression after byte {position} ({error}); copy it again") from error


def _skip(handle: IO[bytes], start: int, path: str) -> None:
    """Reads up to `start`: compressed files cannot be sought in."""
    left = start
    while left:
        chunk = handle.read(min(left, _CHUNK))
        if not chunk:
            raise UsageError(f"{path}: ends before byte {start}, where reading was to go on; it is another file")
        left -= len(chunk)


def _lines(handle: IO[bytes]) -> Iterator[bytes]:
    """Lines with their ends. One that is too long comes in pieces, and no piece of it is JSON."""
    rest = b""
    while chunk := handle.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
        if len(rest) > LONGEST_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def _article(raw: bytes, origin: Origin) -> Article:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _Skipped("no JSON") from error
    if not isinstance(record, dict):
        raise _Skipped("no JSON object")
    title, text = _text(record, "title"), _text(record, "text")
    if not text.strip():
        raise _Skipped("no text")
    number = record.get("id")
    if isinstance(number, bool) or not isinstance(number, str | int) or not str(number).strip():
        raise _Skipped("no id")
    published = _moment(record, "date")
    if published is None:
        raise _Skipped("no date")
    licence, opt_out = _text(record, "licence"), _text(record, "opt_out")
    try:
        return Article(
            source=origin.source,
            native_id=str(number),
            url=_text(record, "url"),
            title=title,
            text=text,
            press=_text(record, "press") or _text(record, "source"),
            section=_text(record, "section"),
            byline=_text(record, "byline"),
            published_at=published,
            licence=licence or origin.licence,
            may_train=origin.may_train and not opt_out and (not licence or allows_training(licence)),
            evidence=origin.evidence,
            modified_at=_moment(record, "modified"),
            opt_out=opt_out,
        )
    except UsageError as error:
        raise _Skipped("broken rule") from error


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Skipped(f"{name} is no text")
    return value


def _moment(record: dict[str, Any], name: str) -> datetime | None:
    value = _text(record, name)
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.astimezone(KST) if moment.tzinfo else moment.replace(tzinfo=KST)
    except (ValueError, OverflowError):
        return None
