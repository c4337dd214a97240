"""What Naver lets others do with its news: read on stored copies of its own pages."""

from __future__ import annotations

from datetime import date

from crawler.publishers.rights import Rights

PAGES = Rights(
    robots="`User-agent: *` `Disallow: /` on news.naver.com and n.news.naver.com",
    terms="robots.txt adds that access of bots for AI training and retrieval is prohibited",
    licence="all rights reserved by the press",
    ai_opt_out="robots.txt: AI training and RAG are prohibited; footers: AI 학습 및 활용 금지",
    may_collect=False,
    may_train=False,
    evidence="https://news.naver.com/robots.txt, https://n.news.naver.com/robots.txt of 2026-07 to 2026-10",
    checked=date(2026, 11, 1),
)

API = Rights(
    robots=PAGES.robots + ", where its results lead",
    terms="the search API's terms forbid input to or training of AI, and to keep results for more than 21 days",
    licence=PAGES.licence,
    ai_opt_out=PAGES.ai_opt_out,
    may_collect=False,
    may_train=False,
    evidence="special terms of the search API in force since 2026-09-07 (notice 33400); " + PAGES.evidence,
    checked=date(2026, 11, 1),
)
