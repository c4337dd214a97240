"""One article's address to an article, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml.etree import LxmlError
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response, TextResponse

from crawler.discovery.protocol import Ready
from crawler.extract import Extracted, NotAnArticle, extract
from crawler.publishers.rights import Grant
from crawler.publishers.source import Source
from korbert.db.articles import Article
from korbert.errors import UsageError

MISSING = frozenset({404, 410})
BAD_SHARE = 0.001
"""Greatest share of a page's characters that may have been undecodable."""


class FetchFailed(Exception):
    """A page could not be had now; another try may."""


class Skipped(Exception):
    """An article that is left out for good: its reason (one word, counted) and the cause."""

    def __init__(self, reason: str, cause: str) -> None:
        super().__init__(cause)
        self.reason = reason


@dataclass(frozen=True)
class Reader:
    """Turns answers of a source into articles to store."""

    source: Source
    source_name: str
    """The source's name in the database."""
    grant: Grant
    """What may be done with its articles."""

    def article(self, native_id: str, url: str, response: Response) -> Article:
        """The article in an answer; `read` says which layout fitted too."""
        return self.read(native_id, url, response)[0]

    def read(self, native_id: str, url: str, response: Response) -> tuple[Article, str]:
        """The article in an answer, and the name of the layout that fitted.

        Raises:
            Skipped: when it is not there, refused, or no article.
            FetchFailed: when the site was not able to answer.
        """
        _require_page(url, response)
        if not isinstance(response, TextResponse):
            raise Skipped("unreadable", f"is no text ({_content_type(response)})")
        # A header may come more than once: each may be the one that refuses.
        headers = {k.decode("latin-1").lower(): b", ".join(v).decode("latin-1") for k, v in response.headers.items()}
        try:
            page = extract(text_of(response), response.url, self.source, headers)
        except (NotAnArticle, LxmlError, ValueError) as error:
            raise Skipped("unreadable", " ".join(str(error).split())) from error
        if self.source.native_id(page.url) != native_id:
            raise Skipped("unreadable", f"is the page of {page.url}")
        try:
            return self._stored(native_id, page), page.layout
        except UsageError as error:
            raise Skipped("unreadable", str(error)) from error

    def ready(self, found: Ready) -> Article:
        """The article that an API's answer holds.

        Raises:
            Skipped: when it cannot be stored.
        """
        try:
            return Article(
                source=self.source_name,
                native_id=found.native_id,
                url=found.url,
                title=found.title,
                text=found.text,
                press=found.press,
                section=found.section,
                byline=found.byline,
                published_at=found.published,
                modified_at=found.modified,
                canonical_url=found.url,
                licence=found.licence or self.grant.licence,
                may_train=self.grant.may_train and found.may_train and not found.opt_out,
                evidence=self._evidence(found.opt_out),
                opt_out=found.opt_out,
            )
        except UsageError as error:
            raise Skipped("unreadable", str(error)) from error

    def _stored(self, native_id: str, page: Extracted) -> Article:
        return Article(
            source=self.source_name,
            native_id=native_id,
            url=page.url,
            title=page.title,
            text=page.text,
            press=page.press,
            section=page.section,
            byline=page.byline,
            published_at=page.published,
            licence=self.grant.licence,
            may_train=self.grant.may_train and not page.opt_out,
            evidence=self._evidence(page.opt_out),
            modified_at=page.modified,
            canonical_url=page.canonical,
            opt_out=page.opt_out,
            removed=page.removed,
        )

    def _evidence(self, opt_out: str) -> str:
        return f"{self.grant.evidence}; refused by the page: {opt_out}" if opt_out else self.grant.evidence


def text_of(response: TextResponse) -> str:
    """The answer's text, whatever charset it claims.

    UTF-8 is tried first: no Korean page in another charset is valid UTF-8 by chance. Then what header or page name,
    then cp949, which holds all of EUC-KR. A few bad bytes in a page are replaced.

    Raises:
        Skipped: when more than `BAD_SHARE` of it could not be decoded: a text of question marks is no article.
    """
    body = response.body
    for charset in ("utf-8-sig", response.encoding, "cp949"):
        try:
            return body.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    text = response.text
    if text.count("\ufffd") > BAD_SHARE * len(text):
        raise Skipped("unreadable", f"is not in the charset it names ({response.encoding}), and in none that we know")
    return text


def skipped_by(error: Exception) -> Skipped | None:
    """The reason to leave an article out, where the download's fault is one; None for faults that may pass."""
    # A decompression bomb: Scrapy ends it with the same class as a refusal, and names the limit as its cause.
    if isinstance(error, IgnoreRequest) and isinstance(error.__cause__, ValueError):
        return Skipped("too_large", " ".join(str(error).split()))
    if isinstance(error, IgnoreRequest):
        return Skipped("forbidden", " ".join(str(error).split()))
    if isinstance(error, DownloadCancelledError):
        return Skipped("too_large", " ".join(str(error).split()))
    return None


def fault(url: str, error: Exception) -> FetchFailed:
    """The fault of a download, in one line."""
    return FetchFailed(f"{url}: {type(error).__name__} {' '.join(str(error).split())[:200]}".rstrip())


def _require_page(url: str, response: Response) -> None:
    if response.status == 200:
        return
    if response.status in MISSING:
        raise Skipped("missing", f"answered {response.status}")
    if 400 <= response.status < 500 and response.status not in (408, 429):
        raise Skipped("refused", f"answered {response.status}")
    raise FetchFailed(f"{url}: answered {response.status}")


def _content_type(response: Response) -> str:
    return (response.headers.get("Content-Type") or b"no Content-Type").decode("latin-1")[:100]


Clock = Callable[[], datetime]


def now_utc() -> datetime:
    """The world's clock."""
    return datetime.now(UTC)
