"""Raw fetching, as `scrapy bench` does it: the pages of a newsroom's articles requested by a plain spider, and dropped.

`python -m crawler.spiders.raw --articles FILE --base-url URL` prints one JSON object: pages, bytes, seconds. It is the
peer of `korbert bench crawl`: Scrapy's own settings but for the concurrency, nothing parsed, nothing stored.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import scrapy
from scrapy.http import Request, Response

from crawler.newsroom.articles import load
from crawler.newsroom.pages import path_of


class RawSpider(scrapy.Spider):
    """Requests addresses and counts what comes."""

    name = "raw"

    def __init__(self, urls: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._urls = urls
        self.pages = self.bytes = 0

    async def start(self) -> AsyncIterator[Request]:
        """All requests, each once."""
        for url in self._urls:
            yield Request(url)

    def parse(self, response: Response, **kwargs: Any) -> None:
        """Drops the page."""
        self.pages += 1
        self.bytes += len(response.body)


def fetch(urls: Sequence[str], concurrency: int) -> dict[str, float]:
    """Fetches all addresses; answers pages and bytes that came, and seconds. Once a process."""
    from scrapy.crawler import AsyncCrawlerProcess

    started = time.monotonic()
    settings = {
        "CONCURRENT_REQUESTS": concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency,
        "DOWNLOAD_DELAY": 0,
        "HTTPPROXY_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_ENABLED": False,
    }
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(RawSpider)
    process.crawl(crawler, urls=urls)
    process.start()
    spider = crawler.spider
    assert isinstance(spider, RawSpider)
    return {"pages": spider.pages, "bytes": spider.bytes, "seconds": time.monotonic() - started}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what was fetched; 1 when not every page came."""
    parser = argparse.ArgumentParser(prog="crawler.spiders.raw", description=__doc__)
    parser.add_argument("--articles", required=True, metavar="FILE", help="the newsroom's file")
    parser.add_argument("--base-url", required=True, metavar="URL", help="the newsroom's address")
    parser.add_argument("--concurrency", type=int, default=8, metavar="N", help="requests in flight (default 8)")
    options = parser.parse_args(arguments)
    urls = [options.base_url + path_of(article) for article in load(options.articles)]
    fetched = fetch(urls, options.concurrency)
    print(json.dumps(fetched))
    return 0 if fetched["pages"] == len(urls) else 1


if __name__ == "__main__":
    sys.exit(main())
