"""Naver's news search on API HUB, the successor of the developer centre's: 25,000 calls a day, 50 a second."""

from __future__ import annotations

from crawler.discovery.search_api import SearchApi
from crawler.publishers import naver, naver_rights
from crawler.publishers.source import Politeness, Source

SOURCE = Source(
    name="naver_search_hub",
    hosts=("naverapihub.apigw.ntruss.com", *naver.ARTICLE_HOSTS),
    discoveries=(
        SearchApi(
            "https://naverapihub.apigw.ntruss.com/search/v1/news",
            ("X-NCP-APIGW-API-KEY-ID", "X-NCP-APIGW-API-KEY"),
        ),
    ),
    articles=naver.ARTICLES,
    layouts=naver.LAYOUTS,
    rights=naver_rights.API,
    politeness=Politeness(delay=1.0, daily_calls=25_000),
    credentials=("NCP_APIGW_API_KEY_ID", "NCP_APIGW_API_KEY"),
)
