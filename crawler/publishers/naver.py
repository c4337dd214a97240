"""The article layouts of Naver News, as selectors (observed on stored pages of 2019 to 2026).

Only the markup is kept here, for sources that print in it and for archives that somebody may read. Naver's own pages
are no source: their robots.txt refuses every robot, and the terms forbid training (docs of the search API, 2026-09).
"""

from __future__ import annotations

from datetime import datetime

from crawler.publishers.source import Layout
from korbert.db.articles import KST

_NOISE = {
    "widget": "script, style, noscript, iframe, button, form, .vod_player_wrap",
    "caption": "em.img_desc, .end_photo_org",
    "advert": ".ad_area",
}

CURRENT = Layout(
    name="n.news.naver.com",
    title="h2.media_end_head_headline",
    # An <article> since 2022, a <div> before; the id stayed.
    body="#dic_area",
    published="span._ARTICLE_DATE_TIME",
    published_attribute="data-date-time",
    press="div.media_end_head_top a img[title]",
    section="em.media_end_categorize_item",
    byline="em.media_end_head_journalist_name",
    drop={**_NOISE, "summary": "strong.media_end_summary"},
    modified="span._ARTICLE_MODIFY_DATE_TIME",
    modified_attribute="data-modify-date-time",
)

LEGACY = Layout(
    name="news.naver.com before 2020",
    title="h3#articleTitle",
    body="#articleBodyContents",
    published=".sponsor .t11",
    published_attribute="",
    press=".press_logo img[title]",
    section="em.guide_categorization_item",
    byline="p.b_text",
    drop={**_NOISE, "promotion": ".link_news"},
    modified=".sponsor .t11 ~ .t11",
    until=datetime(2020, 1, 1, tzinfo=KST),
)
