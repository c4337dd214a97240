"""Korea Policy Briefing: the press releases of all ministries, by the open-data portal's API."""

from __future__ import annotations

from datetime import date

from crawler.discovery.press_releases import PressReleases
from crawler.publishers.source import Politeness, Rights, Source

SOURCE = Source(
    name="policy_briefing",
    hosts=("apis.data.go.kr",),
    discoveries=(PressReleases("https://apis.data.go.kr/1371000/pressReleaseService/pressReleaseList"),),
    articles=(r"^https?://(?:www\.)?korea\.kr/[^?#]*\?(?:[^#]*&)?newsId=(?P<id>\d+)",),
    layouts=(),
    rights=Rights(
        robots="the host of an API for programs; the live file decides",
        terms="Korea Open Government Licence, attribution; the type that a release names itself stands before it",
        licence="KOGL type 1",
        ai_opt_out="",
        may_collect=True,
        may_train=True,
        evidence="https://www.data.go.kr/data/15095295/openapi.do",
        checked=date(2026, 11, 1),
    ),
    # The quota of a development key.
    politeness=Politeness(delay=1.0, daily_calls=1000),
    credentials=("DATA_GO_KR_SERVICE_KEY",),
)
