"""Section `crawl`."""

from __future__ import annotations

from dataclasses import dataclass

from korbert.config.rules import require, require_window


@dataclass(frozen=True)
class CrawlConfig:
    """The crawler and the local newsroom it can crawl."""

    articles: str = ""
    """JSON Lines file (.jsonl, .jsonl.zst, .jsonl.gz) that the newsroom serves; empty: the set that ships."""
    limit: int = 0
    """Serve only the first so many articles of the file; 0: all of them."""
    source: str = ""
    """Name in the database of a source whose articles others collect (`korbert crawl crawl`, `import`): stage crawl
    takes what is stored of it when it runs, and crawls nothing; empty: the articles' file is served and crawled."""
    queries: tuple[str, ...] = ("정부", "경제", "시민", "서울")
    """Search terms asked of the news search API, one ledger slice a result page."""
    narrow: tuple[str, ...] = ()
    """Terms that a search with more results than the API shows is narrowed by, one at a time; empty: it is only
    reported as capped. They reach further and do not prove that all was reached."""
    sections: tuple[str, ...] = ()
    """Sections whose lists are walked, as the source names them (101/259, or 101 for all of 101); empty: all."""
    permissions: str = ""
    """TOML file with the written permissions that the operator holds, a table [[permission]] each (source, granted_by,
    date, reference, covers = ["collect", "train"], expires); empty: none."""
    since: str = "2005-01"
    """First month (YYYY-MM) or day (YYYY-MM-DD) whose lists are walked."""
    until: str = "2026-12"
    """Last month (YYYY-MM) or day (YYYY-MM-DD) whose lists are walked, included."""
    page_size: int = 100
    """Search results a page (`display` of the API, 1 to 100)."""
    delay: float = 1.0
    """Seconds between two requests to one host. Only a server of your own deserves 0."""
    concurrency: int = 8
    """Requests in flight at once to one host."""
    timeout: float = 30.0
    """Seconds until a request without an answer counts as lost."""
    retries: int = 5
    """How often a failed request or slice is tried again before the slice is called failed."""
    lease_seconds: int = 120
    """How long a crawler owns a slice; after that another may take it (a killed crawler's work is not lost)."""
    daily_calls: int = 25_000
    """Search API calls a KST day over all crawlers (Naver API HUB allows 25,000 a client id)."""
    user_agent: str = "korbert-crawler/0.1"
    """User-Agent header; robots.txt is read for its first word. Put a contact address in it for real sites."""
    raw: str = "none"
    """Where article pages are kept as they came, for `korbert crawl reparse`: none, postgres (zstd, about 10 kB a page)
    or warc (files under crawl.raw_folder; the database says where in them)."""
    raw_folder: str = ""
    """Folder of the WARC files, one at a time a crawler; only with crawl.raw = warc."""

    def __post_init__(self) -> None:
        require(self.limit >= 0, "crawl.limit", self.limit, "must be 0 (all) or more")
        require_window("crawl.since", self.since)
        require_window("crawl.until", self.until)
        # A month stands for its first day as a beginning, and for its last one as an end.
        in_order = f"{self.since}-01"[:10] <= f"{self.until}-31"[:10]
        require(in_order, "crawl.since", self.since, f"must not be after crawl.until = {self.until}")
        require(1 <= self.page_size <= 100, "crawl.page_size", self.page_size, "the API allows 1 to 100")
        require(self.delay >= 0, "crawl.delay", self.delay, "must be 0 or more seconds")
        require(self.concurrency >= 1, "crawl.concurrency", self.concurrency, "must be at least 1")
        require(self.timeout > 0, "crawl.timeout", self.timeout, "must be more than 0 seconds")
        require(self.retries >= 0, "crawl.retries", self.retries, "must be 0 or more")
        require(self.lease_seconds >= 5, "crawl.lease_seconds", self.lease_seconds, "must be at least 5 seconds")
        require(self.daily_calls >= 1, "crawl.daily_calls", self.daily_calls, "must be at least 1")
        require(bool(self.user_agent.strip()), "crawl.user_agent", self.user_agent, "must not be empty")
        kinds = ("none", "postgres", "warc")
        require(self.raw in kinds, "crawl.raw", self.raw, f"must be one of: {', '.join(kinds)}")
        named = self.raw != "warc" or bool(self.raw_folder)
        require(named, "crawl.raw_folder", self.raw_folder, "must name a folder with crawl.raw = warc")
