"""`crawler sources`: what sources there are, what their rights say, and what each of them needs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from korbert.db.article import KST
from korbert.errors import UsageError

if TYPE_CHECKING:
    from crawler.publishers.rights import Permission
    from crawler.publishers.source import Source


def add(commands: Any) -> None:
    """Adds the command's parser."""
    sources = commands.add_parser("sources", help="List the sources: kinds, rights and their evidence, keys they need.")
    sources.set_defaults(command=run)
    sources.add_argument("--permissions", default="", metavar="FILE", help="TOML file like crawl.permissions names")
    sources.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """Prints the sources; answers 0."""
    from crawler.publishers import SOURCES
    from crawler.publishers.rights import read_permissions

    permissions, today = read_permissions(options.permissions), datetime.now(KST).date()
    if strangers := sorted({p.source for p in permissions} - SOURCES.keys()):
        raise UsageError(f"{options.permissions}: source = {strangers[0]!r}: there are: {', '.join(SOURCES)}")
    listed = [described(source, permissions, today) for source in SOURCES.values()]
    if options.json:
        print(json.dumps(listed, ensure_ascii=False))
    else:
        print("\n\n".join(map(text, listed)))
    return 0


def described(source: Source, permissions: Sequence[Permission], today: date) -> dict[str, Any]:
    """A source as `--json` prints it."""
    from crawler.publishers.rights import permitted

    try:
        grant = permitted(source, permissions, today)
        allowed = {"collect": True, "train": grant.may_train, "evidence": grant.evidence}
    except UsageError:
        allowed = {"collect": False, "train": False, "evidence": source.rights.evidence}
    rights = source.rights
    return {
        "source": source.name,
        "kinds": list(source.kinds) or ["file"],
        **allowed,
        "licence": rights.licence,
        "robots": rights.robots,
        "terms": rights.terms,
        "ai_opt_out": rights.ai_opt_out,
        "checked": rights.checked.isoformat(),
        "hosts": list(source.hosts),
        "credentials": list(source.credentials),
    }


def text(listed: dict[str, Any]) -> str:
    """A source as people read it."""
    words = {True: "yes", False: "no"}
    lines = [
        f"{listed['source']} ({', '.join(listed['kinds'])})",
        f"  collect: {words[listed['collect']]}; train: {words[listed['train']]}; licence: {listed['licence']}",
    ]
    for name in ("robots", "terms", "ai_opt_out", "evidence"):
        if listed[name]:
            lines.append(f"  {name.replace('ai_opt_out', 'AI opt-out')}: {listed[name]}")
    lines.append(f"  read: {listed['checked']}")
    for name in ("hosts", "credentials"):
        if listed[name]:
            lines.append(f"  {name}: {', '.join(listed[name])}")
    return "\n".join(lines)
