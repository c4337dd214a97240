"""CC-NEWS, Common Crawl's web archives of news sites: it grants its collection, not the articles' copyright."""

from __future__ import annotations

from datetime import date

from crawler.publishers.source import Rights, Source

SOURCE = Source(
    name="cc_news",
    hosts=(),
    discoveries=(),
    articles=(r"^https?://(?P<id>[^#]+)",),
    layouts=(),
    rights=Rights(
        robots="Common Crawl's robot obeyed each site's when it read the page",
        terms="the terms of each site hold for its articles",
        licence="copyright of each publisher",
        ai_opt_out="each page's own",
        may_collect=True,
        may_train=False,
        evidence="https://commoncrawl.org/terms-of-use",
        checked=date(2026, 11, 1),
    ),
    strip=True,
)
