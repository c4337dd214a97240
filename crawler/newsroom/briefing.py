"""The open-data portal's press-release API as the newsroom plays it: its windows, its errors, its odd times.

Pure: articles and a query string in, XML out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from urllib.parse import parse_qs

from crawler.newsroom.articles import NewsArticle

PATH = "/1371000/pressReleaseService/pressReleaseList"

_MOST_DAYS = 3
_ERRORS = {
    "01": "APPLICATION_ERROR",
    "22": "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR",
    "30": "SERVICE_KEY_IS_NOT_REGISTERED_ERROR",
    "31": "DEADLINE_HAS_EXPIRED_ERROR",
}
"""Of the gateway, by code."""
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def answer(articles: Iterable[NewsArticle], raw_query: str, root: str, error: str = "") -> bytes:
    """The answer to one call; `error` is a gateway's code that it is refused with."""
    given = {name: values[0] for name, values in parse_qs(raw_query).items()}
    if error or not given.get("serviceKey"):
        return _refused(error or "30")
    try:
        first, last = (datetime.strptime(given[name], "%Y%m%d").date() for name in ("startDate", "endDate"))
    except (KeyError, ValueError):
        return _response("11", "NO_MANDATORY_REQUEST_PARAMETERS_ERROR", "")
    if (last - first).days >= _MOST_DAYS:
        return _response("98", "THREE_DAYS_OVER_ERROR", "")
    items = "".join(_item(article, root) for article in articles if first <= article.published.date() <= last)
    return _response("0", "NORMAL_SERVICE", items) if items else _response("03", "NODATA_ERROR", "")


def _refused(code: str) -> bytes:
    return (
        f"{_XML}<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg>"
        f"<returnAuthMsg>{_ERRORS.get(code, 'UNKNOWN_ERROR')}</returnAuthMsg>"
        f"<returnReasonCode>{escape(code)}</returnReasonCode></cmmMsgHeader></OpenAPI_ServiceResponse>"
    ).encode()


def _response(code: str, message: str, items: str) -> bytes:
    return (
        f"{_XML}<response><header><resultCode>{code}</resultCode><resultMsg>{message}</resultMsg></header>"
        f"<body>{items}</body></response>"
    ).encode()


def _item(article: NewsArticle, root: str) -> str:
    html = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in article.paragraphs)
    fields = {
        "NewsItemId": article.id,
        "ContentsStatus": "I",
        "ApproveDate": f"{article.published:%m/%d/%Y %H:%M:%S}",
        "GroupingCode": "보도자료",
        "Title": escape(article.title),
        "SubTitle1": "",
        "ContentsType": "H",
        "DataContents": html + '<script>print("<b>")</script>',
        "MinisterCode": article.press,
        "OriginalUrl": f"{root}/briefing/{article.office}",
    }
    return "<NewsItem>" + "".join(f"<{name}>{_cdata(value)}</{name}>" for name, value in fields.items()) + "</NewsItem>"


def _cdata(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
