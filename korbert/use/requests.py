"""What is asked over HTTP, as objects: requests checked, models asked, and why not, with a status.

The limits are of a request; how many may wait is the model's own (`asking`).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from korbert.use.asking import Asker, Busy, Late
from korbert.use.rows import BadRow, Row, Shape

INPUTS = 64
CHARACTERS = 20_000
"""Of a row's texts; a passage of them has some 100 windows."""


class Refused(ValueError):
    """A request that cannot be answered: its status and why."""

    def __init__(self, status: HTTPStatus, why: str, **headers: str) -> None:
        super().__init__(why)
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}


def described(name: str, asker: Asker) -> dict[str, Any]:
    """What the page must know of a model."""
    usable = asker.usable
    labels = list(usable.labels) if usable.head == "sentence" else []
    return {
        "name": name, "head": usable.head, "labels": labels, "task": usable.task, "paired": usable.shape.paired,
    }  # fmt: skip


def predicted(askers: Mapping[str, Asker], body: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The answer to a request's object, within `seconds`.

    Raises:
        Refused: for an object that cannot be asked, or a model that has too much to do.
    """
    name = body.get("model", next(iter(askers)))
    asker = askers.get(name) if isinstance(name, str) else None
    if asker is None:
        raise Refused(HTTPStatus.NOT_FOUND, f"there is no such model; there is: {', '.join(askers)}")
    several = body.get("inputs")
    given = [body] if several is None else several
    if not isinstance(given, list) or not 0 < len(given) <= INPUTS:
        raise Refused(HTTPStatus.BAD_REQUEST, f"inputs must be a list of 1 to {INPUTS} objects")
    rows = [_row(asker.usable.shape, number, fields) for number, fields in enumerate(given)]
    answers = _asked(asker, rows, seconds)
    return {"model": name} | ({"answer": answers[0]} if several is None else {"answers": answers})


def _row(shape: Shape, number: int, fields: Any) -> Row:
    if not isinstance(fields, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, f"input {number}: must be an object")
    try:
        row = shape.row(fields)
    except BadRow as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"input {number}: {error}") from error
    if len(row.text) + len(row.second or "") > CHARACTERS:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"input {number}: may have {CHARACTERS:,} characters")
    return row


def _asked(asker: Asker, rows: list[Row], seconds: float) -> list[dict[str, Any]]:
    try:
        return asker.ask(rows, seconds)
    except Busy as error:
        why = "too many requests wait; ask again in a second"
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, why, Retry_After="1") from error
    except Late as error:
        why = f"no answer within {seconds:g} seconds; ask for less at once"
        raise Refused(HTTPStatus.GATEWAY_TIMEOUT, why) from error
