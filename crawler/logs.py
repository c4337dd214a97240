"""What the crawler says while it works: text on a terminal, JSON lines elsewhere, and never a secret.

Every line, and every error that is kept in the database, passes `Redactor`: it knows the run's secrets by value, and
the places where secrets stand in addresses and headers by name.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import quote, quote_plus, unquote_plus, urlsplit

FORMATS = ("auto", "text", "json")

SECRET_VARIABLES = re.compile(r"(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|SERVICE_?KEY|CLIENT_ID|DATABASE_URL|DSN)", re.I)
"""Names of environment variables whose values are secrets."""

SHORTEST = 6
"""A shorter value is not looked for: it would stand in half of all lines. What stands in its place, by name, is hidden
all the same."""

HIDDEN = "***"

# serviceKey: data.go.kr; X-Naver-Client-*, X-NCP-APIGW-API-KEY*: Naver. The key of a pair, then what parts it from the
# value, then the value up to what can end it in an address, a header, a Python or a JSON text.
_PAIR = re.compile(
    r"(?i)\b([\w-]*(?:service_?key|api[-_]?key(?:[-_]id)?|client[-_](?:id|secret)|secret|password|passwd|token"
    r"|authorization|signature))(['\"]?\s*(?:=|:|%3D)\s*(?:b?['\"])?)(?:(?:Bearer|Basic)\s+)?([^\s&'\",;}\])]+)"
)
# The greedy value reaches to the last @ before a slash or a space, because a password that was not escaped may hold @.
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#]*@")


class Redactor:
    """Text in, the same text without secrets out."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        written = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        # The longest first: a secret may be the beginning of another.
        ordered = sorted(written, key=lambda form: (-len(form), form))
        self._values = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """The text with every secret replaced."""
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
        return _PAIR.sub(rf"\1\2{HIDDEN}", text)


def secrets_of(environment: Mapping[str, str], *given: str) -> list[str]:
    """The secrets of a process: what its environment holds under telling names, what is `given`, and the passwords in
    those of them that are addresses."""
    values = [value for name, value in environment.items() if SECRET_VARIABLES.search(name)]
    return [part for value in (*values, *given) for part in _parts(value) if part]


class TextLines(logging.Formatter):
    """A line for people."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("crawler: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The record, its stack trace included, without secrets."""
        return self._redact(super().format(record))


class JsonLines(logging.Formatter):
    """A line for programs: `time` (UTC), `level`, `logger`, `message`, and the record's own `fields`."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The record as one JSON object on one line. Texts are redacted before they are quoted, so it stays JSON."""
        value: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            value |= {name: found for name, found in fields.items() if name not in value}
        if record.exc_info:
            value["trace"] = self.formatException(record.exc_info)
        return json.dumps({name: self._clean(found) for name, found in value.items()}, ensure_ascii=False)

    def _clean(self, value: object) -> object:
        if isinstance(value, int | float | None):
            return value
        return self._redact(str(value))


def is_json(form: str, stream: TextIO) -> bool:
    """Whether `--log FORM` means JSON lines on this stream."""
    return form == "json" or (form == "auto" and not stream.isatty())


def begin(form: str, stream: TextIO, redact: Redactor) -> None:
    """Sends the crawler's records to the stream, in this process, from now on."""
    handler = logging.StreamHandler(stream)
    as_json = is_json(form, stream)
    handler.setFormatter(JsonLines(redact) if as_json else TextLines(redact))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # Progress is a record of level INFO; for people the meter shows it instead.
    logging.getLogger("crawler").setLevel(logging.INFO if as_json else logging.WARNING)


def _forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, percent-encoded, and decoded when it came encoded."""
    decoded = unquote_plus(secret)
    forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    return forms | ({decoded} if len(decoded) >= SHORTEST else set())


def _parts(value: str) -> list[str]:
    try:
        password = urlsplit(value).password if "://" in value else None
    except ValueError:
        password = None
    # A database's address is no secret but for its password, and would hide the host that a complaint has to name.
    return [password or ""] if "://" in value else [value]
