"""Raw pages: an answer of a site as it is kept, and as it was when it came."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from crawler.fetching import Reader
from korbert.db.raw import RawPage

KEPT_HEADERS = (
    "content-type", "content-language", "last-modified", "etag", "x-robots-tag", "tdm-reservation", "tdm-policy",
)  # fmt: skip
"""What the body's charset, the page's age and the publisher's refusals are read from."""

_PARTS = ("crawler.extract", "crawler.publishers")


@cache
def parser() -> str:
    """The extractor's version: a digest of its code and of the sources' selectors, which change without a release."""
    digest = hashlib.sha256()
    for part in _PARTS:
        for file in sorted(files(part).iterdir(), key=lambda file: file.name):
            if file.name.endswith(".py"):
                digest.update(_named(part, file))
    return digest.hexdigest()[:16]


def raw_page(reader: Reader, native_id: str, response: Response, layout: str, at: datetime) -> RawPage:
    """The answer as it is kept; an empty `layout` means that it could not be read."""
    # A header may come more than once: each may be the one that refuses.
    sent = {name.decode("latin-1").lower(): b", ".join(values) for name, values in response.headers.items()}
    return RawPage(
        source=reader.source_name,
        native_id=native_id,
        publisher=reader.source.name,
        url=response.url,
        fetched_at=at,
        status=response.status,
        headers={name: sent[name].decode("latin-1") for name in KEPT_HEADERS if name in sent},
        body=response.body,
        parser=parser(),
        layout=layout,
        licence=reader.grant.licence,
        may_train=reader.grant.may_train,
        evidence=reader.grant.evidence,
    )


def response_of(page: RawPage) -> Response:
    """The answer as the extractor saw it: of the same class, so with the same way to find the charset."""
    headers = Headers({name: value.encode("latin-1") for name, value in page.headers.items()})
    kind = responsetypes.from_args(headers=headers, url=page.url, body=page.body)
    return kind(page.url, status=page.status, headers=headers, body=page.body)


def _named(part: str, file: Traversable) -> bytes:
    return f"{part}/{file.name}\0".encode() + file.read_bytes() + b"\0"
