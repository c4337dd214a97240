"""Datelines, bylines, copyright lines and promotion out of an article's text, each piece recorded. Pure.

The rules are the corpus's own (`korbert.corpus.boilerplate`): there is one list of them.
"""

from __future__ import annotations

import re
from dataclasses import replace

from crawler.extract.article import Extracted, NotAnArticle
from korbert.corpus.boilerplate import removals
from korbert.db.article import Removed

_REPORTER = re.compile(r"(?<![가-힣])[가-힣]{2,4}[ ]?(?:기자|특파원|통신원|논설위원|리포터|앵커)(?![가-힣])")


def stripped(article: Extracted) -> Extracted:
    """The article without boilerplate; a byline that was taken out is the article's, where the page names none.

    Raises:
        NotAnArticle: when nothing else is in the body.
    """
    text, pieces = removals(article.text)
    if not text:
        raise NotAnArticle(f"{article.layout}: the body holds nothing but boilerplate")
    removed = tuple(Removed(reason, " ".join(piece.split())) for reason, piece in pieces)
    kept = "\n".join(line for raw in text.split("\n") if (line := raw.strip(" ")))
    return replace(article, text=kept, byline=article.byline or _byline(removed), removed=article.removed + removed)


def _byline(removed: tuple[Removed, ...]) -> str:
    for piece in removed:
        if piece.reason in ("byline", "dateline") and (found := _REPORTER.search(piece.text)):
            return found.group()
    return ""
