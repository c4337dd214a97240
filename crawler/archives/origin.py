"""Under which name and which rights the articles of a file are stored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """A source's name in the database and its rights, the operator's recorded permission included."""

    source: str
    licence: str
    """Of articles that name none of their own."""
    may_train: bool
    evidence: str
