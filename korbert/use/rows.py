"""What a model is asked: a row of one text or two, checked before any model sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 1_000_000
"""Characters of a text at most: a row is one text, not a library."""
PAIRED = frozenset({"klue-nli", "klue-sts", "korsts", "kornli", "pair", "paws", "question-pair"})
"""Tasks whose rows are two texts; nothing in a model's folder tells."""


class BadRow(ValueError):
    """A row that cannot be asked, and why."""


@dataclass(frozen=True)
class Row:
    """One text, or two: sentences of a pair, or a question (`text`) and the passage it is asked of (`second`)."""

    text: str
    second: str | None = None


@dataclass(frozen=True)
class Shape:
    """What a model's rows look like."""

    span: bool
    """Whether a row is a question and a passage."""
    paired: bool | None
    """Whether a row has two texts; None: it may."""

    @classmethod
    def of(cls, head: str, task: str) -> Shape:
        """Of a head and the name of a task, empty where that is not known."""
        if head in ("words", "characters", "span"):
            return cls(head == "span", head == "span")
        return cls(False, task in PAIRED if task else True if head == "score" else None)

    def row(self, fields: Mapping[str, Any]) -> Row:
        """The row of an object: text, text2; words; or question and context.

        Raises:
            BadRow: for a field that is missing, not a text, or one that is not of such rows.
        """
        if self.span:
            return self.checked(_text(fields, "question"), _text(fields, "context"))
        words = fields.get("words")
        if "text" not in fields and isinstance(words, list) and all(isinstance(word, str) for word in words):
            return self.checked(" ".join(words), None)
        second = _text(fields, "text2") if fields.get("text2") is not None else None
        return self.checked(_text(fields, "text"), second)

    def checked(self, text: str, second: str | None) -> Row:
        """The row of these texts.

        Raises:
            BadRow: when there are too few or too many, or one cannot be encoded or is too long.
        """
        if self.paired and second is None:
            raise BadRow("has one text; this model asks for " + ("a question and a context" if self.span else "two"))
        if self.paired is False and second is not None:
            raise BadRow("has two texts; this model asks for one")
        for given in (text, second):
            _check_text(given or "")
        if self.span and not (text.strip() and (second or "").strip()):
            raise BadRow("question and context must not be empty")
        return Row(text, second)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadRow(f"{name} must be a text" if name in fields else f"has no field {name}")
    return value


def _check_text(text: str) -> None:
    if len(text) > LONGEST:
        raise BadRow(f"has {len(text):,} characters; {LONGEST:,} at most")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadRow(f"holds half a character at {error.start} (a lone surrogate)") from error
