"""Sources as data: addresses, selectors, layouts with an end date, rights with their evidence. A short file each."""

from __future__ import annotations

from crawler.publishers import (
    cc_news,
    jsonl,
    naver_lists,
    naver_search,
    naver_search_hub,
    newsroom,
    policy_briefing,
    sites,
    wikipedia,
)
from crawler.publishers.source import Source

SOURCES: dict[str, Source] = {
    module.SOURCE.name: module.SOURCE
    for module in (
        newsroom,
        naver_search,
        naver_search_hub,
        naver_lists,
        policy_briefing,
        sites,
        cc_news,
        wikipedia,
        jsonl,
    )
}
"""By name."""
