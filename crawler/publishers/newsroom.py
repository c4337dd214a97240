"""The local newsroom: a site that the operator of the crawl runs from a file of their own."""

from __future__ import annotations

from crawler.publishers import naver
from crawler.publishers.source import Rights, Source

NEWSROOM = Source(
    name="newsroom",
    search="/v1/search/news.json",
    listing="/list?month={month}&page={page}",
    listed="ul.type06_headline a.headline",
    following="a.next[rel=next]",
    articles=(
        r"^https?://[^/]+/mnews/article/\d{3}/(?P<id>[^/?#]+)$",
        r"^https?://[^/]+/main/read\.naver\?(?:[^#]*&)?aid=(?P<id>[^&#]+)",
    ),
    layouts=(naver.CURRENT, naver.LEGACY),
    rights=Rights(
        licence="operator's own file",
        may_train=True,
        evidence="served by `crawler newsroom` from a file whose rights its operator holds",
        robots="allows all but /admin/ and /private/",
    ),
)

SOURCES: dict[str, Source] = {NEWSROOM.name: NEWSROOM}
