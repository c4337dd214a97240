"""The articles a newsroom prints, read from JSON Lines and checked before anything is served.

Two formats are understood: `{"id", "press", "section", "date" (ISO 8601 with an offset), "title", "text"}` and the
plain `{"id", "source", "date"? (ISO day), "title"?, "text"}`. What is missing is made from the id, so that the same
file is always the same site.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from korbert.errors import UsageError
from korbert.storage import read_jsonl

KST = timezone(timedelta(hours=9), "KST")
LAYOUT_CHANGED = datetime(2020, 1, 1, tzinfo=KST)
"""Articles published before are served in the legacy layout."""

_FIRST_DAY, _DAYS = date(2011, 1, 1), 15 * 365
_TITLE_CHARACTERS = 60
_ID_CHARACTERS = 200
# HTML can carry neither control characters nor lone surrogates nor U+FFFE/U+FFFF, so no page can print them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BYLINE = re.compile(r"(?<![가-힣])([가-힣]{2,4}) 기자")


@dataclass(frozen=True)
class NewsArticle:
    """One article as the newsroom prints it."""

    id: str
    press: str
    section: str
    published: datetime
    """Korean time; whole minutes for the legacy layout, which prints no seconds."""
    title: str
    paragraphs: tuple[str, ...]
    """Non-empty, no line breaks, white space as a browser shows it."""

    @property
    def text(self) -> str:
        """The body, a paragraph a line."""
        return "\n".join(self.paragraphs)

    @property
    def legacy(self) -> bool:
        """Whether the page is served in the layout used before 2020."""
        return self.published < LAYOUT_CHANGED

    @property
    def byline(self) -> str:
        """The first reporter named in the text; empty where none is."""
        found = _BYLINE.search(self.text)
        return found.group(1) + " 기자" if found else ""

    @property
    def office(self) -> str:
        """Three digits that stand for the press in addresses, like Naver's `oid`."""
        return f"{zlib.crc32(self.press.encode()) % 1000:03d}"


def load(path: Path | str, *, limit: int = 0) -> tuple[NewsArticle, ...]:
    """The first `limit` (0: all) articles of a file.

    Raises:
        UsageError: naming file and line, for a record that is no article or an id that occurred before.
    """
    articles = tuple(printed(read_jsonl(path, limit=limit), str(path)))
    if not articles:
        raise UsageError(f"{path}: holds no article; name a JSON Lines file with one article a line")
    return articles


def printed(records: Iterable[Mapping[str, Any]], name: str) -> Iterator[NewsArticle]:
    """Articles of records in either format; `name` is the file's, for messages.

    Raises:
        UsageError: as `load` does; records are counted, so blank lines are not.
    """
    seen: set[str] = set()
    for number, record in enumerate(records, 1):
        where = f"{name} line {number} (blank lines aside)"
        try:
            article = _article(record)
        except ValueError as error:
            raise UsageError(f"{where}: {error}") from error
        if article.id in seen:
            raise UsageError(f"{where}: id {article.id!r} occurred before; ids must be unique")
        seen.add(article.id)
        yield article


def _article(record: Mapping[str, Any]) -> NewsArticle:
    number = _id(record.get("id"))
    lines = (_line(line) for line in _text(record, "text", required=True).split("\n"))
    paragraphs = tuple(line for line in lines if line)
    if not paragraphs:
        raise UsageError("text: holds nothing that can be printed; give the article some text")
    published = _published(record.get("date"), number)
    return NewsArticle(
        id=number,
        press=_line(_text(record, "press") or _text(record, "source")) or "뉴스룸",
        section=_line(_text(record, "section")) or "일반",
        published=published if published >= LAYOUT_CHANGED else published.replace(second=0),
        title=_line(_text(record, "title")) or _first_sentence(paragraphs[0]),
        paragraphs=paragraphs,
    )


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UsageError(f"id = {value!r}: must be a text or a whole number")
    text = str(value)
    if not text or len(text) > _ID_CHARACTERS or not text.isprintable() or text != text.strip():
        raise UsageError(f"id = {text!r}: must be 1 to {_ID_CHARACTERS} printable characters, no space around them")
    return text


def _text(record: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    value = record.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise UsageError(f"{name} = {value!r}: must be a text")
    return value


def _line(text: str) -> str:
    return _SPACE.sub(" ", _UNPRINTABLE.sub("", text)).strip()


def _first_sentence(paragraph: str) -> str:
    sentence = paragraph.split(". ", 1)[0]
    return sentence if len(sentence) <= _TITLE_CHARACTERS else sentence[:_TITLE_CHARACTERS].rstrip() + "…"


def _published(value: Any, number: str) -> datetime:
    """The given time in Korea; day and time that are not given follow from the id."""
    chance = zlib.crc32(number.encode())
    minutes = timedelta(minutes=chance % (24 * 60))
    if value is None or value == "":
        day = _FIRST_DAY + timedelta(days=chance // (24 * 60) % _DAYS)
        return datetime(day.year, day.month, day.day, tzinfo=KST) + minutes
    try:
        given = datetime.fromisoformat(value)
        moment = given if given.tzinfo else given.replace(tzinfo=KST)
        if len(value) <= len("2023-10-12"):
            moment += minutes
        moment.astimezone(UTC)
        return moment.astimezone(KST).replace(microsecond=0)
    except (TypeError, ValueError, OverflowError) as error:
        rule = "must be an ISO date like 2023-10-12 or 2023-10-12T15:04:05+09:00"
        raise UsageError(f"date = {value!r}: {rule}") from error
