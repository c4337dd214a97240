"""Naver's news search API with a key of the older developer centre: these keys end on 2027-06-30."""

from __future__ import annotations

from crawler.discovery.search_api import SearchApi
from crawler.publishers import naver, naver_rights
from crawler.publishers.source import Politeness, Source

SOURCE = Source(
    name="naver_search",
    hosts=("openapi.naver.com", *naver.ARTICLE_HOSTS),
    discoveries=(
        SearchApi("https://openapi.naver.com/v1/search/news.json", ("X-Naver-Client-Id", "X-Naver-Client-Secret")),
    ),
    articles=naver.ARTICLES,
    layouts=naver.LAYOUTS,
    rights=naver_rights.API,
    politeness=Politeness(delay=1.0, daily_calls=25_000),
    credentials=("NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET"),
)
