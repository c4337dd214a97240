"""What finding articles means, whatever the source's kind: slices to begin with, a call a slice, what its answer holds.

A `Discovery` is data (addresses, selectors, reach) and pure: no request is made here. The spider leases a slice, makes
the call, has the answer read, and settles what was found with the slice's state in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import urlencode, urlsplit

from korbert.db.ledger import SliceKey

if TYPE_CHECKING:
    from crawler.publishers.source import Source

Credentials = tuple[str, ...]
"""The values of a source's `credentials`, in their order."""


class UnreadablePage(ValueError):
    """The page of a slice is not what the source's data says."""


class ApiRefusal(Exception):
    """An error answer of an API, with what follows from it."""

    def __init__(
        self, status: int, code: str, message: str, verdict: Literal["day", "key", "never", "again"] = "again"
    ) -> None:
        super().__init__(f"API: {status} {code} {message}".strip())
        self.status = status
        self.code = code
        self.verdict = verdict
        """day: nothing more until the day turns in Korea; key: the credentials are refused; never: the same call would
        be refused again; again: it may pass."""


@dataclass(frozen=True)
class Scope:
    """What one crawl asks of a source."""

    source: str
    """The source's name in the database."""
    since: date
    until: date
    """First and last day (of Korea), both included."""
    root: str = ""
    """A site's address, without a slash at its end, that stands in for the source's hosts; empty: they are asked."""
    queries: tuple[str, ...] = ()
    narrow: tuple[str, ...] = ()
    """Terms that a search beyond reach is narrowed by."""
    sections: tuple[str, ...] = ()
    """Sections of the source's lists; empty: all of them."""
    page_size: int = 100

    def at(self, address: str) -> str:
        """The address, or the same path at `root`; an address that is only a path needs a `root`."""
        if not self.root:
            return address
        parts = urlsplit(address)
        return self.root + parts._replace(scheme="", netloc="").geturl()


@dataclass(frozen=True)
class Call:
    """One request."""

    url: str
    """Without anything secret: it may be logged and stored."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Parameters that are added to the address on the wire only."""

    @property
    def wire_url(self) -> str:
        """The address as it is requested: never to be logged."""
        if not self.secret:
            return self.url
        return f"{self.url}{'&' if urlsplit(self.url).query else '?'}{urlencode(self.secret)}"


@dataclass(frozen=True)
class Answer:
    """An answer 200 to a call."""

    url: str
    """Where it came from, redirects followed, without anything secret."""
    body: bytes
    text: str = ""
    """The body in the charset that the answer names; empty for what is no text."""


@dataclass(frozen=True)
class Ready:
    """An article that the answer itself holds, so that no page is fetched for it."""

    native_id: str
    url: str
    title: str
    text: str
    """Paragraphs parted by newlines."""
    published: datetime
    """With time zone."""
    press: str = ""
    section: str = ""
    byline: str = ""
    modified: datetime | None = None
    licence: str = ""
    """The item's own licence; empty: the source's."""
    may_train: bool = True
    """False: the item's own licence forbids it. It never allows what the source's rights forbid."""
    opt_out: str = ""
    """The item's own refusal of AI training, quoted."""


@dataclass(frozen=True)
class Found:
    """What one page of a slice holds."""

    articles: dict[str, str]
    """Native id to address, in the page's order: to be fetched."""
    total: int | None = None
    """The source's own count of results; None where it gives none."""
    following: tuple[SliceKey, ...] = ()
    """Slices that come after this one."""
    capped: bool = False
    """The source holds more than it lets anyone read."""
    seen: int = 0
    """Results on the page, also those that are no articles of the source."""
    narrower: tuple[SliceKey, ...] = ()
    """Of a capped slice: the slices it is split into. They reach further and prove nothing: it stays capped."""
    ready: tuple[Ready, ...] = ()


class Discovery(Protocol):
    """One kind of question to a source. Its `kind` is one of `korbert.db.ledger.KINDS`, and a source has it once."""

    @property
    def kind(self) -> str: ...

    @property
    def paid(self) -> bool:
        """Whether each try counts against the day's budget of calls."""
        ...

    def first_slices(self, scope: Scope) -> list[SliceKey]:
        """The slices that all others follow from."""
        ...

    def call(self, scope: Scope, key: SliceKey, credentials: Credentials) -> Call:
        """The request of a slice's page."""
        ...

    def read(self, answer: Answer, scope: Scope, key: SliceKey, source: Source) -> Found:
        """What the answer holds.

        Raises:
            UnreadablePage: when it is not what the source's data says.
            ApiRefusal: when it is an error that came with status 200.
        """
        ...

    def refusal(self, status: int, body: bytes) -> ApiRefusal:
        """What an answer with another status than 200 says; asked of paid discoveries."""
        ...
