"""The local newsroom: a site that the operator of the crawl runs from a file of their own."""

from __future__ import annotations

from datetime import date

from crawler.discovery.lists import MonthList
from crawler.discovery.search_api import SearchApi
from crawler.publishers import naver
from crawler.publishers.source import Politeness, Rights, Source

SOURCE = Source(
    name="newsroom",
    hosts=(),
    discoveries=(
        MonthList(
            address="/list?month={month}&page={page}",
            listed="ul.type06_headline a.headline",
            following="a.next[rel=next]",
        ),
        SearchApi("/v1/search/news.json", ("X-Naver-Client-Id", "X-Naver-Client-Secret")),
    ),
    articles=(
        r"^https?://[^/]+/mnews/article/\d{3}/(?P<id>[^/?#]+)$",
        r"^https?://[^/]+/main/read\.naver\?(?:[^#]*&)?aid=(?P<id>[^&#]+)",
    ),
    layouts=(naver.CURRENT, naver.LEGACY),
    rights=Rights(
        robots="allows all but /admin/ and /private/",
        terms="",
        licence="operator's own file",
        ai_opt_out="",
        may_collect=True,
        may_train=True,
        evidence="served by `crawler newsroom` from a file whose rights its operator holds",
        checked=date(2026, 11, 1),
    ),
    politeness=Politeness(delay=0.0),
    credentials=("NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET"),
)
