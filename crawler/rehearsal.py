"""A dry run: what a crawl would plan and what the rights say, without network and without database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from crawler.crawl import Site, polite, scope_of, source_named
from crawler.publishers.rights import Grant, permitted, read_permissions
from crawler.publishers.source import Source
from korbert.config import CrawlConfig
from korbert.db.ledger import SliceKey

SHOWN = 8
"""Queries or sections that are named."""


@dataclass(frozen=True)
class Rehearsal:
    """What a crawl would begin with; the pages after these show themselves only on the way."""

    source: Source
    name: str
    """The source's name in the database."""
    grant: Grant
    slices: list[SliceKey]
    delay: float
    """Seconds between two requests to one host."""
    daily_calls: int

    def text(self) -> str:
        """For people."""
        grant, rights = self.grant, self.source.rights
        training = "allowed" if grant.may_train else "not allowed"
        lines = [
            f"source {self.name}: may be collected; training {training}; licence: {grant.licence}",
            f"  evidence: {grant.evidence} (read {rights.checked})",
            f"  robots.txt: {rights.robots}; the live file decides",
            f"  one request to a host every {self.delay:g} s; at most {self.daily_calls:,} API calls a day",
            f"would begin with {len(self.slices):,} slices:",
        ]
        return "\n".join([*lines, *(f"  {line}" for line in self._kinds())])

    def _kinds(self) -> list[str]:
        """A line a kind: how many slices, from when to when, of what."""
        by_kind: defaultdict[str, list[SliceKey]] = defaultdict(list)
        for key in self.slices:
            by_kind[key.kind].append(key)
        return [f"{kind}: {len(keys):,}{_span(keys)}{_queries(keys)}" for kind, keys in by_kind.items()]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "dry_run": True,
            "source": self.source.name,
            "name": self.name,
            "licence": self.grant.licence,
            "may_train": self.grant.may_train,
            "evidence": self.grant.evidence,
            "delay": self.delay,
            "daily_calls": self.daily_calls,
            "slices": [{"kind": k.kind, "query": k.query, "window": k.month, "page": k.page} for k in self.slices],
        }


def rehearse(config: CrawlConfig, site: Site, today: date) -> Rehearsal:
    """What `crawl` would begin with.

    Raises:
        UsageError: as `crawl` does: for an unknown source, a wrong address, or a source that may not be collected.
    """
    source = source_named(site.source)
    grant = permitted(source, read_permissions(config.permissions), today)
    config = polite(config, source, site)
    slices = source.first_slices(scope_of(config, source, site, today))
    return Rehearsal(source, site.name, grant, slices, config.delay, config.daily_calls)


def _span(keys: list[SliceKey]) -> str:
    windows = sorted({key.month for key in keys if key.month})
    return f", {windows[0]} to {windows[-1]}" if windows else ""


def _queries(keys: list[SliceKey]) -> str:
    queries = list(dict.fromkeys(key.query for key in keys if key.query))
    more = f" and {len(queries) - SHOWN:,} more" if len(queries) > SHOWN else ""
    return f": {', '.join(queries[:SHOWN])}{more}" if queries else ""
