"""One article as it is crawled, stored and read, and the rules it must keep."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

from korbert.errors import UsageError

# Korea has had no other offset since 1988; a fixed one needs no time zone files on the server.
KST = timezone(timedelta(hours=9), "KST")

NATIVE_ID_BYTES = 1000

YEARS = (1883, 2200)
"""The first modern Korean newspaper, Hanseong Sunbo, is of 1883; a date outside is a date read wrongly."""


class Removed(NamedTuple):
    """A piece of the page's body that the extractor took out of the text."""

    reason: str
    """One word: caption, advert, byline, copyright."""
    text: str


@dataclass(frozen=True)
class Article:
    """One article of one source, with the rights it came under."""

    source: str
    native_id: str
    """The source's own id: unique within the source, at most 1,000 bytes."""
    url: str
    title: str
    text: str
    """Paragraphs parted by newlines."""
    press: str
    section: str
    byline: str
    published_at: datetime
    """With time zone."""
    licence: str
    may_train: bool
    evidence: str
    """How the rights are known."""
    modified_at: datetime | None = None
    """The page's own word on its last change, with time zone; None where it says nothing."""
    canonical_url: str = ""
    """The page's own address for itself; empty where it names none."""
    opt_out: str = ""
    """The page's own refusal of AI training, quoted; empty: it has none."""
    removed: tuple[Removed, ...] = ()
    """What the extractor took out of the text, in the page's order."""

    def __post_init__(self) -> None:
        if not self.source or not self.native_id:
            raise UsageError(
                f"article {self.source}/{self.native_id} {self.url}: source and native_id may not be empty"
            )
        if len(self.native_id.encode(errors="replace")) > NATIVE_ID_BYTES:
            raise UsageError(f"article {self.source}/{self.native_id[:60]}…: native_id passes {NATIVE_ID_BYTES} bytes")
        if self.published_at.tzinfo is None:
            raise UsageError(f"article {self.source}/{self.native_id}: published_at has no time zone; add +09:00")
        if self.modified_at is not None and self.modified_at.tzinfo is None:
            raise UsageError(f"article {self.source}/{self.native_id}: modified_at has no time zone; add +09:00")
        if not YEARS[0] <= self.published_at.year <= YEARS[1]:
            raise UsageError(
                f"article {self.source}/{self.native_id}: published_at = {self.published_at.isoformat()}: "
                f"must lie in the years {YEARS[0]} to {YEARS[1]}"
            )

    @property
    def month(self) -> date:
        """First day of the month of publication in Korea."""
        return self.published_at.astimezone(KST).date().replace(day=1)

    @property
    def content_sha256(self) -> str:
        """SHA-256 of title, byline and text."""
        return hashlib.sha256(json.dumps([self.title, self.byline, self.text]).encode()).hexdigest()
