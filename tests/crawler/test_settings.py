import pytest
from scrapy.settings import Settings

from crawler.settings import checked_root, host_and_port, settings_of
from korbert.config import CrawlConfig
from korbert.errors import UsageError


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://Newsroom:80/", "http://newsroom"),
        ("https://news.example:443", "https://news.example"),
        ("https://news.example:80", "https://news.example:80"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_site_has_one_address(url, root):
    assert checked_root(url) == root


@pytest.mark.parametrize(
    "url", ["", "news", "ftp://h", "http://h/x", "http://h?q", "http://h#f", "http://h:0", "http://["]
)
def test_what_is_no_site_is_refused(url):
    with pytest.raises(UsageError, match="--base-url"):
        checked_root(url)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://h/a", "http://H:80/b", True),
        ("http://h/a", "https://h/a", False),
        ("http://h:1/", "http://h:2/", False),
        ("http://h/", "http://h.evil/", False),
        ("http://h/", "http://h@evil/", False),
        ("http://h/", "data:text/html,x", False),
        ("http://h/", "http://h:x/", False),
    ],
)
def test_hosts_are_told_apart(one, other, same):
    assert (host_and_port(one) == host_and_port(other)) is same


def test_the_crawl_is_polite_and_has_no_side_doors():
    settings = Settings(settings_of(CrawlConfig(user_agent="korbert-crawler/0.1 (+mailto:me@example.org)"), "http://h"))
    assert settings.getbool("ROBOTSTXT_OBEY")
    assert settings["ROBOTSTXT_USER_AGENT"] == "korbert-crawler"
    assert settings.getfloat("DOWNLOAD_DELAY") == 1.0
    assert not settings.getbool("COOKIES_ENABLED")
    assert settings.getdict("EXTENSIONS_BASE") == {}
    assert settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES")


def test_a_proxy_of_the_environment_is_used_for_real_sites_only():
    for root, used in (("http://127.0.0.1:1", False), ("http://localhost:1", False), ("https://news.example", True)):
        assert settings_of(CrawlConfig(), root)["HTTPPROXY_ENABLED"] is used
