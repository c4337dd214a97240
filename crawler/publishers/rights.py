"""Rights as data, and what they allow: fail closed, unless the operator's own record of a permission says otherwise."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from korbert.errors import UsageError

Day = date
"""The type, for the class with a field of its name."""
COVERS = ("collect", "train")


@dataclass(frozen=True)
class Rights:
    """What may be done with a source's articles, and how that is known."""

    robots: str
    """What robots.txt said when the source was written down; the live file decides at every crawl."""
    terms: str
    """What the terms of use say; empty: none are known."""
    licence: str
    """Stored with each article; an item's own licence stands before it."""
    ai_opt_out: str
    """The source's own word against AI training; empty: none is known."""
    may_collect: bool
    may_train: bool
    evidence: str
    """Where it was read: the address of the terms, the notice's number."""
    checked: date
    """The day when it was read."""


@dataclass(frozen=True)
class Permission:
    """A permission that the operator of the crawl has and records: who gave it, when, for what."""

    source: str
    """Key of `SOURCES`."""
    granted_by: str
    date: Day
    reference: str
    """The contract's number, the letter's date: what can be shown to somebody who asks."""
    covers: tuple[str, ...]
    """collect, train."""
    expires: Day | None = None
    """The first day on which it does not hold any more."""

    @property
    def evidence(self) -> str:
        """As it is stored with each article."""
        end = f" until {self.expires}" if self.expires else ""
        return f"permission of {self.granted_by} of {self.date}{end} to {' and '.join(self.covers)}: {self.reference}"


@dataclass(frozen=True)
class Grant:
    """That a source may be collected, and how its articles are stored."""

    licence: str
    may_train: bool
    evidence: str


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def rights(self) -> Rights: ...


def permitted(source: _Named, permissions: Sequence[Permission], today: date) -> Grant:
    """What may be done with the source's articles.

    A permission to train covers no collecting, and one to collect no training: each has to be named.

    Raises:
        UsageError: when it may not be collected, naming the source, the right, its evidence and the next step.
    """
    rights = source.rights
    own = [p for p in permissions if p.source == source.name]
    valid = [p for p in own if p.date <= today and (p.expires is None or today < p.expires)]
    collect = next((p for p in valid if "collect" in p.covers), None)
    train = next((p for p in valid if "train" in p.covers), None)
    if not rights.may_collect and collect is None:
        raise UsageError(_refused(source.name, rights, own))
    evidence = [rights.evidence, *dict.fromkeys(p.evidence for p in (collect, train) if p)]
    return Grant(rights.licence, rights.may_train or train is not None, "; ".join(evidence))


def _refused(name: str, rights: Rights, own: Sequence[Permission]) -> str:
    why = "; ".join(part for part in (f"robots.txt: {rights.robots}", rights.terms) if part)
    begun = f" (the recorded one of {own[0].date} does not hold today or does not cover collecting)" if own else ""
    return (
        f"source {name!r}: may not be collected: {why} ({rights.evidence}, read {rights.checked}); whoever holds a "
        f"written permission records it in the file that crawl.permissions names{begun}"
    )


def no_training(source: _Named) -> str:
    """Why articles of a source whose grant has no training stay out of every corpus, in one line."""
    rights = source.rights
    return (
        f"source {source.name!r}: its articles are collected and not trained on: "
        f"{rights.ai_opt_out or rights.licence} ({rights.evidence}); a permission that covers train would allow it"
    )


def read_permissions(path: str) -> tuple[Permission, ...]:
    """The permissions of a TOML file with a table `[[permission]]` each; an empty path has none.

    Raises:
        UsageError: when the file cannot be read, or an entry misses a field, has another one, or a wrong value.
    """
    if not path:
        return ()
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"crawl.permissions = {path!r}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise UsageError(f"crawl.permissions = {path!r}: is no TOML in UTF-8 ({error})") from error
    entries = table.get("permission")
    if set(table) != {"permission"} or not isinstance(entries, list) or not entries:
        raise UsageError(f"crawl.permissions = {path!r}: must hold tables [[permission]] and nothing else")
    return tuple(_permission(entry, f"{path} permission {number}") for number, entry in enumerate(entries, 1))


def _permission(entry: Any, where: str) -> Permission:
    names = [field.name for field in fields(Permission)]
    if not isinstance(entry, dict) or set(entry) - set(names) or set(names) - {"expires"} - set(entry):
        raise UsageError(f"{where}: must have the fields {', '.join(names)} (expires may be left out) and no other")
    for name in ("source", "granted_by", "reference"):
        if not isinstance(entry[name], str) or not entry[name].strip():
            raise UsageError(f"{where}: {name} = {entry[name]!r}: must be a text that is not empty")
    covers = entry["covers"]
    if not isinstance(covers, list) or not covers or not all(item in COVERS for item in covers):
        raise UsageError(f"{where}: covers = {covers!r}: must be a list of: {', '.join(COVERS)}")
    expires = _day(entry["expires"], "expires", where) if "expires" in entry else None
    texts = {name: entry[name].strip() for name in ("source", "granted_by", "reference")}
    return Permission(**texts, date=_day(entry["date"], "date", where), covers=tuple(covers), expires=expires)


def _day(value: Any, name: str, where: str) -> date:
    # A datetime is a date too, but compares with none.
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where}: {name} = {value!r}: must be a day like 2026-09-07") from error
