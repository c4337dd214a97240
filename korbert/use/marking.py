"""A text with what was found in it marked, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

AROUND = 60
"""Characters of a passage that are shown on each side of an answer."""


def with_entities(text: str, entities: Sequence[dict[str, Any]]) -> str:
    """[Kim PER] went to [Seoul LOC]; entities in the order of the text, none in another."""
    parts, done = [], 0
    for entity in entities:
        parts.append(f"{text[done : entity['begin']]}[{entity['text']} {entity['type']}]")
        done = entity["end"]
    return "".join(parts) + text[done:]


def around(text: str, begin: int, end: int) -> str:
    """The place of an answer in its passage, in brackets, line ends as blanks."""
    left, right = max(begin - AROUND, 0), min(end + AROUND, len(text))
    shown = f"{text[left:begin]}[{text[begin:end]}]{text[end:right]}"
    return ("..." if left else "") + " ".join(shown.split()) + ("..." if right < len(text) else "")
