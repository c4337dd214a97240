"""A local file of articles in JSON Lines: the operator's own, or a licensed corpus brought into that form."""

from __future__ import annotations

from datetime import date

from crawler.publishers.source import Rights, Source

SOURCE = Source(
    name="jsonl",
    hosts=(),
    discoveries=(),
    articles=(),
    layouts=(),
    rights=Rights(
        robots="no site is asked",
        terms="those of whoever made the file",
        licence="operator's own file",
        ai_opt_out="",
        may_collect=True,
        may_train=True,
        evidence="read from a file whose rights its operator holds; a line's own licence can forbid training",
        checked=date(2026, 11, 1),
    ),
)
