"""What the rules of all fields are made of."""

from __future__ import annotations

from datetime import date

from korbert.errors import UsageError


def require(condition: bool, name: str, value: object, rule: str) -> None:
    """Raises UsageError with the field, its value and the rule, unless the condition holds."""
    if not condition:
        raise UsageError(f"{name} = {value!r}: {rule}")


def require_window(name: str, value: str) -> None:
    """Raises UsageError unless the value is a month, YYYY-MM, or a day, YYYY-MM-DD."""
    try:
        # The form is compared too: fromisoformat also takes 20160131 and weeks.
        ok = date.fromisoformat(f"{value}-01"[:10]).isoformat()[: len(value)] == value and len(value) in (7, 10)
    except ValueError:
        ok = False
    require(ok, name, value, "must be a month written YYYY-MM, like 2016-01, or a day written YYYY-MM-DD")
