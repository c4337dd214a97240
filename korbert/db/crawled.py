"""The artefact of stage `crawl`: what the database held of a source when the crawl ended, in numbers and one digest.

A corpus is made from the database, but fresh by this artefact: so when articles are taken down, it is written anew,
and everything made from it is stale.
"""

from __future__ import annotations

from korbert.chain import Workspace
from korbert.db import articles, ledger
from korbert.db.connection import Connection, transaction
from korbert.errors import UsageError
from korbert.storage import Draft, read_json, revising, write_json

SUMMARY = "summary.json"


def write(draft: Draft, connection: Connection, source: str, served: int) -> None:
    """Writes the artefact's file and numbers; `served` articles are what the site had.

    Raises:
        WorldError: when the database is lost.
    """
    summary = articles.summary(connection, source)
    record = {
        "source": source,
        "served": served,
        "articles": summary.articles,
        "trainable": summary.trainable,
        "by_month": summary.by_month,
        "slices": ledger.progress(connection, source),
        "digest": summary.digest,
    }
    write_json(draft.path / SUMMARY, record)
    draft.counts |= {"served": served, "articles": summary.articles, "trainable": summary.trainable}
    draft.licences = summary.by_licence


def stored(connection: Connection, source: str) -> int:
    """How many articles of `source` the database holds.

    Raises:
        UsageError: when it holds none, or has no tables yet.
        WorldError: when the database is lost.
    """
    with transaction(connection) as cursor:
        cursor.execute("SELECT to_regclass('article') IS NOT NULL")
        (made,) = cursor.fetchone() or (False,)
    count = articles.summary(connection, source).articles if made else 0
    if not count:
        raise UsageError(
            f"crawl.source = {source!r}: the database holds no article of it; collect some with: korbert crawl crawl"
        )
    return count


def renew(workspace: Workspace, connection: Connection) -> bool:
    """Brings the artefact in line with the database; False when it says already what the database holds.

    Raises:
        UsageError: when the workspace has no crawl, or made it with another database.
        WorldError: when the database or the disk is lost; the artefact is the old one then.
    """
    path = workspace.path("crawl")
    workspace.manifest("crawl")
    record = read_json(path / SUMMARY)
    now = articles.summary(connection, record["source"])
    if not now.articles and not any(ledger.progress(connection, record["source"]).values()):
        raise UsageError(
            f"{path}: this database knows nothing of source {record['source']!r}; name the one that the crawl filled"
        )
    if now.digest == record["digest"]:
        return False
    gone = max(int(record["articles"]) - now.articles, 0)
    with revising(path, "crawl") as draft:
        write(draft, connection, record["source"], record["served"])
        draft.counts["taken_down"] = draft.counts.get("taken_down", 0) + gone
    return True
