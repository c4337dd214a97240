"""A source's host that resolves to an address inside is not asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.internet.error import DNSLookupError

from crawler.resolving import public
from crawler.settings import settings_of
from korbert.config import CrawlConfig


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"],
)
def test_addresses_inside_are_refused(address):
    with pytest.raises(DNSLookupError, match="is not public"):
        public(address, "news.example")


@pytest.mark.parametrize("address", ["1.1.1.1", "211.249.46.1", "172.32.0.1"])
def test_public_addresses_pass(address):
    assert public(address, "news.example") == address


def test_a_site_that_the_operator_names_may_lie_inside():
    assert "Public" in settings_of(CrawlConfig(), "", ["news.example"])["TWISTED_DNS_RESOLVER"]
    assert "Public" not in settings_of(CrawlConfig(), "http://newsroom:8000")["TWISTED_DNS_RESOLVER"]


CRAWL = """
import logging, sys
from dataclasses import replace
from pathlib import Path
from crawler.crawl import Site, crawl
from crawler.publishers import SOURCES
from korbert.chain import Workspace

logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
lists = SOURCES["naver_lists"]
# Its rights are not what is tested here; its name leads to this very machine.
rights = replace(lists.rights, may_collect=True)
SOURCES["naver_lists"] = replace(lists, hosts=("localhost",), rights=rights)
config = replace(Workspace(Path(sys.argv[1])).load().crawl, since="2019-11-01", until="2019-11-01", retries=0)
discovery = [replace(d, address="http://localhost" + d.address[d.address.index("/", 8):]) for d in lists.discoveries]
SOURCES["naver_lists"] = replace(SOURCES["naver_lists"], discoveries=tuple(discovery))
crawl(config, Site("naver_lists", "inside", ""), sys.argv[2])
"""


def test_a_crawl_of_a_source_whose_name_leads_inside_ends_before_its_first_request(crawls):
    done = subprocess.run(
        [sys.executable, "-c", CRAWL, crawls.workspace, crawls.database_url],
        cwd=Path(__file__).parents[2], env=os.environ, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 1
    assert "localhost: its address 127.0.0.1 is not public" in done.stderr
    assert "robots.txt: could not be read" in done.stderr
