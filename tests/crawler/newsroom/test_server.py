import http.client
import signal
from datetime import date
from urllib.parse import urlsplit

import pytest

from crawler.discovery.protocol import Answer, Scope
from crawler.newsroom.articles import printed
from crawler.newsroom.pages import path_of
from crawler.newsroom.server import Faults, serving
from crawler.publishers import SOURCES
from korbert.db.ledger import SliceKey


def get(root, path, method="GET", **headers):
    connection = http.client.HTTPConnection(urlsplit(root).netloc, timeout=10)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def listed(root, month, page):
    _, body = get(root, f"/list?month={month}&page={page}")
    key = SliceKey("s", "list", month=month, page=page)
    source, scope = SOURCES["newsroom"], Scope("s", date(2019, 1, 1), date(2026, 12, 31), root=root)
    return source.discovery("list").read(Answer(f"{root}/list", body, body.decode()), scope, key, source)


def test_list_pages_hold_all_articles_of_the_month_newest_first(articles):
    many = [a for a in articles if a.legacy]
    with serving(articles) as newsroom:
        ids = [*listed(newsroom.root, "2019-11", 1).articles, *listed(newsroom.root, "2019-12", 1).articles]
    assert sorted(ids) == sorted(a.id for a in many)
    by_id = {a.id: a for a in articles}
    dates = [by_id[id].published for id in ids[:12]]
    assert dates == sorted(dates, reverse=True)


def test_thirty_links_a_page_and_a_page_past_the_end_shows_the_last_again():
    month = tuple(printed(({"id": i, "text": "본문", "date": "2023-05-05"} for i in range(61)), "m"))
    with serving(month) as newsroom:
        pages = [listed(newsroom.root, "2023-05", page) for page in (1, 2, 3, 4)]
    assert [len(page.articles) for page in pages] == [30, 30, 1, 1]
    assert [len(page.following) for page in pages] == [1, 1, 0, 0]
    assert pages[2].articles == pages[3].articles
    assert len({id for page in pages for id in page.articles}) == 61


def test_a_month_without_articles_is_an_empty_page(articles):
    with serving(articles) as newsroom:
        assert listed(newsroom.root, "2015-01", 1).articles == {}


@pytest.mark.parametrize("path", ["/list?month=2023-13", "/list?month=x", "/list?month=2023-05&page=0", "/", "/x/y"])
def test_other_addresses_answer_404(articles, path):
    with serving(articles) as newsroom:
        assert get(newsroom.root, path)[0].status == 404


def test_an_article_has_one_address(articles):
    legacy, current = (next(a for a in articles if a.legacy is wanted) for wanted in (True, False))
    with serving(articles) as newsroom:
        assert get(newsroom.root, path_of(legacy))[0].getheader("Content-Type") == "text/html; charset=euc-kr"
        assert get(newsroom.root, path_of(current))[0].getheader("Content-Type") == "text/html; charset=utf-8"
        assert get(newsroom.root, f"/mnews/article/{current.office}/unknown")[0].status == 404
        assert get(newsroom.root, path_of(current).replace(current.office, "999", 1))[0].status == 404
        assert get(newsroom.root, f"/main/read.naver?oid={current.office}&aid={current.id}")[0].status == 404


def test_robots_keep_the_private_parts_out(articles):
    with serving(articles) as newsroom:
        _, body = get(newsroom.root, "/robots.txt")
    assert b"Disallow: /admin/" in body


def test_links_name_the_host_that_the_client_asked(articles):
    with serving(articles) as newsroom:
        port = urlsplit(newsroom.root).port
        _, body = get(newsroom.root, path_of(articles[3]), Host=f"newsroom.korbert.svc:{port}")
        assert f'href="http://newsroom.korbert.svc:{port}/'.encode() in body
        _, body = get(newsroom.root, path_of(articles[3]), Host='x"><i>evil')
        assert b"evil" not in body


def test_head_answers_without_a_body(articles):
    with serving(articles) as newsroom:
        response, body = get(newsroom.root, path_of(articles[0]), "HEAD")
    assert response.status == 200
    assert int(response.getheader("Content-Length")) > 0
    assert body == b""


def test_faults_come_as_often_as_asked(articles):
    with serving(articles, Faults(error_every=3, missing=frozenset({articles[0].id}))) as newsroom:
        assert get(newsroom.root, path_of(articles[0]))[0].status == 404
        assert [get(newsroom.root, path_of(articles[1]))[0].status for _ in range(5)] == [200, 500, 200, 200, 500]
    with serving(articles, Faults(truncate_every=1)) as newsroom, pytest.raises(http.client.IncompleteRead):
        get(newsroom.root, path_of(articles[0]))


def test_the_process_prints_its_address_serves_and_ends_at_sigterm(newsroom_process, articles_file):
    process = newsroom_process("--articles", str(articles_file), "--limit", "5", "--port", "0")
    line = process.stdout.readline()
    assert line.startswith("newsroom: http://127.0.0.1:")
    assert line.endswith(" (5 articles)\n")
    assert get(line.split()[1], "/robots.txt")[0].status == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_a_taken_port_is_one_clear_line(newsroom_process, articles, articles_file):
    with serving(articles) as newsroom:
        process = newsroom_process("--articles", str(articles_file), "--port", str(urlsplit(newsroom.root).port))
        assert process.wait(20) == 1
    err = process.stderr.read()
    assert "choose another" in err
    assert err.count("\n") == 1
