"""The article layouts of Naver News, as selectors (observed on stored pages of 2019 to 2026).

Newsrooms that print in it use this markup too. Naver's own pages need a recorded permission (`naver_rights`).
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

SPORTS_AND_ENTERTAINMENT = Layout(
    name="m.sports.naver.com and m.entertain.naver.com",
    # The ends of these class names change with each release of the site: their beginnings are kept.
    title="h2[class*=NewsEndMain_article_title], h2[class*=NewsEndMain_article_head_title]",
    body="div._article_content",
    published="em[class*=NewsEndMain_date]",
    published_attribute="",
    press="img[class*=NewsEndMain_press_logo], img[class*=NewsEndMain_image_media]",
    press_attribute="alt",
    section="",
    byline="em[class*=NewsEndMain_article_journalist_info], span[class*=NewsEndMain_author]",
    drop={**_NOISE, "summary": "strong.media_end_summary"},
)

SPORTS = Layout(
    name="sports.news.naver.com",
    title="h4.title",
    body="#newsEndContents",
    published="div.info span",
    published_attribute="",
    press="#pressLogo img",
    press_attribute="alt",
    section="",
    byline="p.byline",
    drop={
        **_NOISE,
        "copyright": "p.source",
        "byline": "p.byline",
        "promotion": ".reporter_area, .promotion, .link_news",
    },
    modified="div.info span ~ span",
    # The day is assumed: by then the host's addresses led to m.sports.naver.com.
    until=datetime(2024, 1, 1, tzinfo=KST),
)

ENTERTAINMENT = Layout(
    name="entertain.naver.com",
    title="h2.end_tit",
    # The site's own spelling.
    body="#articeBody",
    published="span.author em",
    published_attribute="",
    press="div.press_logo img",
    press_attribute="alt",
    section="",
    byline="p.byline",
    drop={**_NOISE, "byline": "p.byline", "promotion": ".reporter_area, .link_news"},
    modified="span.author ~ span.author em",
    until=datetime(2024, 1, 1, tzinfo=KST),
)

LAYOUTS = (CURRENT, SPORTS_AND_ENTERTAINMENT, LEGACY, SPORTS, ENTERTAINMENT)
"""Tried in this order. Sports and entertainment have hosts of their own; their selectors are those that public crawlers
of 2018 to 2025 agree on, and no stored page of them was seen."""

ARTICLE_HOSTS = (
    "n.news.naver.com",
    "news.naver.com",
    "m.sports.naver.com",
    "sports.news.naver.com",
    "m.entertain.naver.com",
    "entertain.naver.com",
)
"""Where articles are, and where the addresses of older ones lead."""

_PAIR = r"(?P<office>\d{3})/(?P<id>[^/?#]+)"
ARTICLES = (
    # /mnews/article/001/0000000042, the same without mnews, and below a sport's or a programme's name.
    rf"^https?://[^/]+/(?:[a-z]+/)?article/{_PAIR}/?(?:[?#].*)?$",
    # /main/read.naver?mode=LSD&oid=001&aid=0000000042, .nhn before 2021, /read and /news on the other hosts.
    r"^https?://[^/]+/(?:[a-z]+/)*(?:read|news|newsend)(?:\.naver|\.nhn)?\?(?:[^#]*&)?oid=(?P<office>\d{3})&"
    r"(?:[^#]*&)?aid=(?P<id>[^&#]+)",
)
"""An id is the press's three digits and the article's number in it: the same whatever the address."""
