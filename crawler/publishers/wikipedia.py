"""Korean Wikipedia, from its dumps: the site itself asks robots to use them (https://dumps.wikimedia.org)."""

from __future__ import annotations

from datetime import date

from crawler.publishers.source import Rights, Source

SOURCE = Source(
    name="wikipedia",
    hosts=(),
    discoveries=(),
    articles=(r"^https://ko\.wikipedia\.org/wiki/(?P<id>[^?#]+)$",),
    layouts=(),
    rights=Rights(
        robots="no site is asked: the dump is a file",
        terms="attribution by a link to the page, and the same licence for what is derived from the text",
        licence="CC BY-SA 4.0",
        ai_opt_out="",
        may_collect=True,
        may_train=True,
        evidence="https://dumps.wikimedia.org/legal.html",
        checked=date(2026, 11, 1),
    ),
)
