from dataclasses import replace
from datetime import date

import pytest
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, IgnoreRequest
from scrapy.http import HtmlResponse, Response

from crawler.fetching import FetchFailed, Reader, Skipped, skipped_by
from crawler.newsroom.pages import page_of, path_of
from crawler.publishers.newsroom import SOURCE as NEWSROOM
from crawler.publishers.rights import permitted

ROOT = "http://newsroom.example"
READER = Reader(NEWSROOM, "newsroom-1a2b", permitted(NEWSROOM, (), date(2026, 11, 1)))


def answered(article, **fields):
    content_type = f"text/html; charset={'euc-kr' if article.legacy else 'utf-8'}"
    given = {"headers": {"Content-Type": content_type}, "body": page_of(article, ROOT), **fields}
    return HtmlResponse(ROOT + path_of(article), **given)


def test_an_answer_becomes_an_article_with_the_rights_of_its_source(articles):
    for article in articles[:4]:
        stored = READER.article(article.id, ROOT + path_of(article), answered(article))
        assert (stored.source, stored.native_id) == ("newsroom-1a2b", article.id)
        assert (stored.title, stored.text) == (article.title, article.text)
        assert stored.published_at == article.published
        assert (stored.licence, stored.may_train) == (NEWSROOM.rights.licence, True)
        assert stored.evidence == NEWSROOM.rights.evidence


def test_a_page_that_refuses_training_is_stored_as_not_trainable_with_its_words(articles):
    response = answered(articles[2], headers={"Content-Type": "text/html; charset=utf-8", "TDM-Reservation": "1"})
    stored = READER.article(articles[2].id, response.url, response)
    assert not stored.may_train
    assert stored.evidence.endswith("refused by the page: tdm-reservation: 1")


@pytest.mark.parametrize(("status", "reason"), [(404, "missing"), (410, "missing"), (403, "refused"), (451, "refused")])
def test_what_is_gone_or_refused_is_left_out(articles, status, reason):
    with pytest.raises(Skipped) as caught:
        READER.article(articles[0].id, ROOT, answered(articles[0], status=status))
    assert caught.value.reason == reason


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_the_site_could_not_answer_may_be_tried_again(articles, status):
    with pytest.raises(FetchFailed, match=str(status)):
        READER.article(articles[0].id, ROOT, answered(articles[0], status=status))


def test_another_articles_page_is_not_stored_under_this_id(articles):
    with pytest.raises(Skipped, match="is the page of"):
        READER.article("something-else", ROOT, answered(articles[0]))


def test_an_id_that_the_database_cannot_hold_is_left_out(articles):
    long = replace(articles[2], id="가" * 400)
    with pytest.raises(Skipped, match="1000 bytes"):
        READER.article(long.id, ROOT, answered(long))


def test_a_picture_is_no_article(articles):
    picture = Response(ROOT, body=b"\x89PNG", headers={"Content-Type": "image/png"})
    with pytest.raises(Skipped, match="image/png"):
        READER.article("a", ROOT, picture)


def test_faults_of_the_download_that_stay_are_told_from_those_that_pass():
    assert skipped_by(IgnoreRequest("robots.txt disallows it")).reason == "forbidden"
    assert skipped_by(DownloadCancelledError("9 MB")).reason == "too_large"
    assert skipped_by(DownloadTimeoutError()) is None
