"""Scrapy's settings for one crawl: polite, without side doors, nothing that is not needed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from korbert.config import CrawlConfig
from korbert.errors import UsageError

MAX_BYTES = 8 * 2**20
"""An answer larger than that is no article (the largest page of 52,715 real ones has 90 kB)."""
MAX_REDIRECTS = 5
_PORTS = {"http": 80, "https": 443}


def settings_of(config: CrawlConfig, root: str, hosts: Sequence[str] = ()) -> dict[str, Any]:
    """The settings to crawl the site at `root` (its address without a slash at the end), or `hosts` without one."""
    product = config.user_agent.split()[0].partition("/")[0]
    return {
        "BOT_NAME": product,
        "SOURCE_SITES": [host_and_port(root)] if root else [(h, port) for h in hosts for port in _PORTS.values()],
        "USER_AGENT": config.user_agent,
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": product,
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
            "Accept-Language": "ko,en;q=0.5",
        },
        "CONCURRENT_REQUESTS": config.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": config.concurrency,
        "DOWNLOAD_DELAY": config.delay,
        # The delay is a promise, not an average.
        "DOWNLOAD_DELAY_JITTER": 0,
        "DOWNLOAD_TIMEOUT": config.timeout,
        "DOWNLOAD_MAXSIZE": MAX_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
        "RETRY_TIMES": config.retries,
        "COOKIES_ENABLED": False,
        # Certificates of a real site are checked; the newsroom speaks plain HTTP.
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        # A proxy of the environment cannot see our own machine.
        "HTTPPROXY_ENABLED": not is_loopback(root),
        "TWISTED_DNS_RESOLVER": "scrapy.resolver.CachingThreadedResolver"
        if root
        else "crawler.resolving.PublicResolver",
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
            "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
            "crawler.middlewares.OneHost": 50,
            "crawler.middlewares.Robots": 100,
            "crawler.middlewares.Backoff": 550,
            "crawler.middlewares.Turns": 980,
            "crawler.middlewares.Metering": 990,
        },
        # Telnet console, remote control, memory and log statistics: nothing of it.
        "EXTENSIONS_BASE": {},
        "STATS_DUMP": False,
        "LOG_ENABLED": False,
    }


def checked_root(url: str) -> str:
    """The site's address without a slash at its end.

    Raises:
        UsageError: when it is no HTTP address of a site.
    """
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password:
        raise UsageError(f"--base-url {url!r}: must be a site's address, like http://127.0.0.1:8000")
    host, port = host_and_port(url)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port == _PORTS[parts.scheme] else f":{port}")


def host_and_port(url: str) -> tuple[str, int]:
    """Who serves an address: http://Example:80/x and http://example/y are the same; ("", 0) for what is no HTTP."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "", parts.port or _PORTS[parts.scheme])
    except (ValueError, KeyError):
        return ("", 0)


def is_loopback(root: str) -> bool:
    """Whether the address is one of this machine's own."""
    host = urlsplit(root).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
