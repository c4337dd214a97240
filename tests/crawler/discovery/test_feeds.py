import gzip
from datetime import date

import pytest

from crawler.discovery import feeds
from crawler.discovery.feeds import Feeds, parsed
from crawler.discovery.protocol import Answer, Scope, UnreadablePage
from crawler.publishers.sites import SOURCE
from korbert.db.ledger import SliceKey

SITE = "https://site.example"
FEED = Feeds()
SCOPE = Scope("site", date(2024, 3, 1), date(2024, 3, 31), root=SITE)
KEY = SliceKey("site", "feed", query=f"{SITE}/sitemap.xml")
XMLNS = "http://www.sitemaps.org/schemas/sitemap/0.9"


def urlset(*entries: str) -> bytes:
    head = f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{XMLNS}" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
    return (head + "".join(f"<url>{entry}</url>" for entry in entries) + "</urlset>").encode()


def index(*entries: str) -> bytes:
    return (
        f'<sitemapindex xmlns="{XMLNS}">' + "".join(f"<sitemap>{e}</sitemap>" for e in entries) + "</sitemapindex>"
    ).encode()


def read(body: bytes, key: SliceKey = KEY):
    return FEED.read(Answer(key.query, body), SCOPE, key, SOURCE)


RSS = b"""<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><link>https://site.example</link>
<item><title>&lt;A&gt;</title><link> https://site.example/news/1?utm_source=rss </link>
<pubDate>Fri, 01 Mar 2024 23:30:00 +0900</pubDate></item>
<item><title>B & C</title><guid isPermaLink="true">https://site.example/news/2</guid></item>
<item><title>D</title><guid isPermaLink="false">urn:3</guid></item>
<item><link>https://other.example/news/4</link></item>
<item><link>/news/5</link><pubDate>soon</pubDate></item></channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><link href="/"/>
<entry><link rel="self" href="/x"/><link href="/news/1"/><published>2024-02-29T15:30:00Z</published></entry>
<entry><link rel="alternate" href="/news/2"/><updated>2024-03-05T00:00:00+09:00</updated></entry></feed>"""
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel/><item><link>/news/1</link><dc:date>2024-03-01T00:00+09:00</dc:date></item></rdf:RDF>"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (RSS, [("/news/1?utm_source=rss", date(2024, 3, 1)), ("/news/2", None), ("/news/5", None)]),
        (ATOM, [("/news/1", date(2024, 3, 1)), ("/news/2", None)]),
        (RDF, [("/news/1", date(2024, 3, 1))]),
        (b"\xef\xbb\xbfhttps://site.example/a\r\nhttps://site.example/b\n", [("/a", None), ("/b", None)]),
        (
            urlset(
                "<loc>https://site.example/a?x=1&amp;y=2</loc><lastmod>2024-03-02</lastmod>",
                "<loc>\n https://site.example/b\n</loc><news:news><news:publication_date>2024-03-03T10:00:00+09:00"
                "</news:publication_date></news:news>",
                "<loc>https://site.example/b</loc>",
                "<loc>https://evil.example/c</loc>",
                "<loc>https://[bad/</loc>",
                "<loc></loc>",
            ),
            [("/a?x=1&y=2", None), ("/b", date(2024, 3, 3))],
        ),
    ],
)
def test_feeds_of_every_format_name_the_sites_own_addresses_once(body, expected):
    assert [(e.url.removeprefix(SITE), e.published) for e in parsed(body, f"{SITE}/feed").pages] == expected
    assert parsed(gzip.compress(body), f"{SITE}/feed") == parsed(body, f"{SITE}/feed")


def test_only_what_can_be_of_the_crawls_days_is_fetched():
    def news(day: str) -> str:
        return f"<news:news><news:publication_date>{day}</news:publication_date></news:news>"

    found = read(
        urlset(
            f"<loc>{SITE}/before</loc>{news('2024-02-29')}",
            f"<loc>{SITE}/first</loc>{news('2024-03-01')}",
            f"<loc>{SITE}/last</loc>{news('2024-03-31')}",
            f"<loc>{SITE}/after</loc>{news('2024-04-01')}",
            f"<loc>{SITE}/changed-before</loc><lastmod>2024-02-28</lastmod>",
            f"<loc>{SITE}/changed-after</loc><lastmod>2024-09-01</lastmod>",
            f"<loc>{SITE}/year</loc><lastmod>2024</lastmod>",
            f"<loc>{SITE}/undated</loc>",
        )
    )
    names = [url.removeprefix(f"{SITE}/") for url in found.articles.values()]
    assert names == ["first", "last", "changed-after", "year", "undated"]
    assert (found.seen, found.following, found.capped) == (5, (), False)


def test_a_long_sitemap_is_read_in_parts_that_lose_nothing(monkeypatch):
    monkeypatch.setattr(feeds, "ARTICLES_A_SLICE", 3)
    body = urlset(*(f"<loc>{SITE}/{i}</loc>" for i in range(7)))
    key, names = KEY, []
    while key:
        found = read(body, key)
        names += [url.removeprefix(f"{SITE}/") for url in found.articles.values()]
        key = next(iter(found.following), None)
    assert names == [str(i) for i in range(7)]


def test_an_index_leads_to_its_sitemaps_and_never_for_ever():
    body = index(
        f"<loc>{SITE}/2024-03.xml.gz</loc><lastmod>2024-03-31</lastmod>",
        f"<loc>{SITE}/2019-01.xml</loc><lastmod>2019-02-01</lastmod>",
        f"<loc>{SITE}/sitemap.xml</loc>",
        "<loc>https://other.example/s.xml</loc>",
    )
    key, depths = KEY, 0
    while key:
        found = read(body, key)
        assert [f.query.removeprefix(SITE) for f in found.following] in (["/2024-03.xml.gz", "/sitemap.xml"], [])
        key = next(iter(found.following), None)
        depths += 1
    assert depths == feeds.DEEPEST + 1
    assert found.capped


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>404</body></html>",
        b"plain words",
        gzip.compress(b"<urlset/>", mtime=0)[:-12],
        b"\x1f\x8b",
        b"<",
        b"\x00\x01",
    ],
)
def test_what_is_no_feed_is_unreadable(body):
    with pytest.raises(UnreadablePage, match="feed"):
        read(body)


def test_a_feed_that_swells_is_unreadable(monkeypatch):
    monkeypatch.setattr(feeds, "LARGEST", 1 << 20)
    with pytest.raises(UnreadablePage, match="passes"):
        read(gzip.compress(b"<urlset>" + b" " * (2 << 20) + b"</urlset>"))


def test_an_entity_reads_no_file(tmp_path):
    (tmp_path / "secret").write_text("https://site.example/secret")
    document = f'<!DOCTYPE u [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]><urlset><url><loc>&x;</loc></url></urlset>'
    assert read(document.encode()).articles == {}


def test_the_crawl_begins_with_the_feeds_it_names_or_the_usual_one():
    assert [key.query for key in FEED.first_slices(SCOPE)] == [f"{SITE}/sitemap.xml"]
    named = Scope("site", SCOPE.since, SCOPE.until, root=SITE, queries=("/rss.xml", f"{SITE}/a.xml", "경제"))
    assert [key.query for key in FEED.first_slices(named)] == [f"{SITE}/rss.xml", f"{SITE}/a.xml"]
    assert FEED.call(named, KEY, ()).url == f"{SITE}/sitemap.xml"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://site.example/news/1", "site.example/news/1"),
        ("https://site.example/news/1/", "site.example/news/1"),
        ("https://site.example/news/1?utm_source=rss&a=1", "site.example/news/1"),
        ("https://site.example/view?id=1&p=2#c", "site.example/view?id=1&p=2"),
        ("https://site.example/?id=7", "site.example/?id=7"),
        ("https://site.example/", ""),
        ("https://site.example", ""),
        ("https://site.example/?utm_source=rss", ""),
        ("ftp://site.example/a", ""),
    ],
)
def test_an_articles_id_is_its_address_on_its_site(url, expected):
    assert SOURCE.native_id(url) == expected
