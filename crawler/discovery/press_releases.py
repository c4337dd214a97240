"""Korea Policy Briefing's press releases as the open-data portal gives them: all of three days at most in one answer.

Observed on stored calls of 2024 to 2026: a window of more days is refused (THREE_DAYS_OVER_ERROR), page numbers are
ignored, times are American (`MM/DD/YYYY hh:mm:ss`, of Korea), errors come with status 200, and the gateway's own
errors in another form of XML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlencode

from lxml import etree
from parsel import Selector

from crawler.discovery.protocol import Answer, ApiRefusal, Call, Credentials, Found, Ready, Scope, UnreadablePage
from crawler.discovery.windows import days
from crawler.extract.elements import line, paragraphs
from crawler.licences import allows_training, kogl
from korbert.db.article import KST
from korbert.db.ledger import SliceKey

if TYPE_CHECKING:
    # The sources are made of what is defined here.
    from crawler.publishers.source import Source

WINDOW_DAYS = 3
_NOTHING = "03"
_DONE = ("0", "00")
# Codes of the portal's guide: 22 day's calls spent; 20, 30 to 33 the key; 10 to 12 and 98 the call itself.
_VERDICTS: dict[str, Literal["day", "key", "never", "again"]] = {
    "22": "day",
    **dict.fromkeys(("20", "30", "31", "32", "33"), "key"),
    **dict.fromkeys(("10", "11", "12", "98"), "never"),
}
_BY_NAME = {
    "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR": "22",
    "SERVICE_KEY_IS_NOT_REGISTERED_ERROR": "30",
    "DEADLINE_HAS_EXPIRED_ERROR": "31",
    "THREE_DAYS_OVER_ERROR": "98",
    "NO_MANDATORY_REQUEST_PARAMETERS_ERROR": "11",
}
_DROP = {"widget": "script, style, noscript, iframe, button, form", "caption": "figcaption"}
_FOREIGN = re.compile(r"^https?://", re.IGNORECASE)


@dataclass(frozen=True)
class PressReleases:
    """Slices `api`: the releases of a window of days."""

    endpoint: str
    kind: str = "api"
    paid: bool = True

    def first_slices(self, scope: Scope) -> list[SliceKey]:
        """A slice a window, named by its first day."""
        return [SliceKey(scope.source, self.kind, month=day) for day in days(scope.since, scope.until, WINDOW_DAYS)]

    def call(self, scope: Scope, key: SliceKey, credentials: Credentials) -> Call:
        """The call of a window, whole: what a crawl of fewer days left out would be taken for done by the next."""
        first = date.fromisoformat(key.month)
        last = first + timedelta(days=WINDOW_DAYS - 1)
        parameters = {"startDate": f"{first:%Y%m%d}", "endDate": f"{last:%Y%m%d}"}
        (service_key,) = credentials
        # The portal shows each key in two forms; the one with %2B in it would be encoded twice.
        secret = {"serviceKey": unquote(service_key) if "%" in service_key else service_key}
        return Call(f"{scope.at(self.endpoint)}?{urlencode(parameters)}", secret=secret)

    def read(self, answer: Answer, scope: Scope, key: SliceKey, source: Source) -> Found:
        """The releases of a window, whole: no page of them is fetched.

        Raises:
            UnreadablePage: when it is no answer of the API.
            ApiRefusal: when it is an error.
        """
        root = _xml(answer.body)
        if root is None:
            raise UnreadablePage(f"the answer is no XML: {line(answer.body[:80].decode('utf-8', 'replace'))!r}")
        code, message = _result(root)
        if code not in (*_DONE, _NOTHING):
            raise ApiRefusal(200, code, message, _VERDICTS.get(code, "again"))
        items = root.findall("./body/NewsItem")
        ready = [release for item in items if (release := _release(item, source)) is not None]
        return Found({}, len(items), seen=len(items), ready=tuple(ready))

    def refusal(self, status: int, body: bytes) -> ApiRefusal:
        """What an answer with another status says."""
        root = _xml(body)
        code, message = _result(root) if root is not None else ("", "")
        if code in _VERDICTS:
            return ApiRefusal(status, code, message, _VERDICTS[code])
        return ApiRefusal(status, code, message, "key" if status in (401, 403) else "again")


def _xml(body: bytes) -> etree._Element | None:
    # Nothing outside the answer is read, and libxml2's own limits hold.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, strip_cdata=False)
    try:
        return etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _result(root: etree._Element) -> tuple[str, str]:
    """Code and message of the service's header, or of the gateway's; no code at all is an error without a name."""
    message = _text(root, "./header/resultMsg") or _text(root, ".//returnAuthMsg") or _text(root, ".//errMsg")
    code = _text(root, "./header/resultCode") or _text(root, ".//returnReasonCode")
    return _BY_NAME.get(message, code or "99"), message


def _release(item: etree._Element, source: Source) -> Ready | None:
    """One release; None for one without an id, a time or a text (some are a file only)."""
    html = item.findtext("DataContents") or ""
    published, text = _time(_text(item, "ApproveDate")), _plain(html)
    native_id, title = _text(item, "NewsItemId"), line(unescape(_text(item, "Title")))
    if not native_id or not title or published is None or not text:
        return None
    licence = kogl(html)
    url = _text(item, "OriginalUrl")
    return Ready(
        native_id=native_id,
        url=url if _FOREIGN.match(url) else f"https://www.korea.kr/briefing/pressReleaseView.do?newsId={native_id}",
        title=title,
        text=text,
        published=published,
        press=_text(item, "MinisterCode"),
        section="보도자료",
        modified=_time(_text(item, "ModifyDate")),
        licence=licence,
        may_train=not licence or allows_training(licence),
    )


def _text(element: etree._Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _plain(html: str) -> str:
    """The paragraphs of a release's HTML."""
    if not html.strip():
        return ""
    text, _ = paragraphs(Selector(text=html, type="html").root, _DROP)
    return text


def _time(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, "%m/%d/%Y %H:%M:%S").replace(tzinfo=KST)
    except ValueError:
        return None
