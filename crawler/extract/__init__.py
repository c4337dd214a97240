"""An article page's HTML to the article: pure. Which selectors apply is data (`publishers`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from parsel import Selector

from crawler.extract import elements, layouts, refusals, stripping
from crawler.extract.article import Extracted, NotAnArticle
from crawler.extract.times import korean_time
from korbert.db.article import Removed

if TYPE_CHECKING:
    # The sources are made of what the extractor reads with.
    from crawler.publishers.source import Source

__all__ = ["Extracted", "NotAnArticle", "Removed", "extract", "korean_time"]


def extract(html: str, url: str, source: Source, headers: Mapping[str, str] | None = None) -> Extracted:
    """The article on a page; `headers` are the answer's, names in lower case, read for opt-out signals.

    A source without layouts is read by the generic extractor.

    Raises:
        NotAnArticle: when no layout of the source fits, or nothing but boilerplate is in the body.
    """
    if not html.strip():
        raise NotAnArticle("the page is empty")
    page = Selector(text=html, type="html").root
    opt_out, canonical = refusals.refusal(page, headers or {}), elements.canonical(page, url)
    if source.layouts:
        article = layouts.read(page, url, source.layouts)
    else:
        # Its library takes 0.3 s to import: only who needs it pays.
        from crawler.extract import generic

        article = generic.read(page, url)
    article = replace(article, opt_out=opt_out, canonical=canonical)
    return stripping.stripped(article) if source.strip else article
