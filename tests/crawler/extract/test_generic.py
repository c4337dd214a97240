from dataclasses import replace

import pytest

from crawler.extract import NotAnArticle, extract
from crawler.publishers.sites import SOURCE

TEXT = "정부는 새 예산안을 국무회의에서 의결했다. 시민들은 달라질 살림을 두고 여러 말을 나누었다. "
PAGE = """<html><head><title>제목 - 한빛</title><meta property="og:site_name" content="한빛">{head}</head><body>
<h1>제목</h1><p class="date">2024.03.01 10:11</p><div class="{body}">
<p>{text}</p><p>둘째 문단. {text}</p>{tail}</div></body></html>"""
URL = "https://h.example/news/1"


def page(head: str = "", body: str = "cont", tail: str = "", text: str = TEXT * 3) -> str:
    return PAGE.format(head=head, body=body, tail=tail, text=text)


def test_title_time_and_body_are_found_without_any_metadata() -> None:
    read = extract(page(), URL, SOURCE)
    assert (read.title, read.press, read.layout) == ("제목", "한빛", "generic")
    assert read.published.isoformat() == "2024-03-01T10:11:00+09:00"
    assert read.text.startswith("정부는 새")
    assert "둘째 문단." in read.text


@pytest.mark.parametrize("body", ["cont", "article_body", "summary_frame", "related_frame", "writer"])
def test_a_long_body_stays_whatever_its_class_is_called(body: str) -> None:
    assert "둘째 문단." in extract(page(body=body, text=TEXT * 12), URL, SOURCE).text


def test_captions_adverts_and_related_links_are_taken_out_and_recorded() -> None:
    tail = (
        "<figure><img><figcaption>사진 설명</figcaption></figure><div class=ad>광고 문구</div>뒤에 남는 글이다."
        "<ul class=related_news><li>다른 기사</li></ul><script>var a = '글';</script>"
    )
    read = extract(page(body="article_body", tail=tail), URL, SOURCE)
    assert {(r.reason, r.text) for r in read.removed} == {
        ("caption", "사진 설명"),
        ("advert", "광고 문구"),
        ("promotion", "다른 기사"),
    }
    assert read.text.endswith("뒤에 남는 글이다.")


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        (page().replace("제목", "").replace(" - 한빛", ""), "no title"),
        (page().replace("2024.03.01 10:11", "어제"), "no time"),
        ("<html><head><title>제목</title></head><body><p class=date>2024.03.01</p></body></html>", "no body"),
    ],
)
def test_a_page_that_is_no_article_says_what_is_missing(html: str, reason: str) -> None:
    with pytest.raises(NotAnArticle, match=reason):
        extract(html, URL, SOURCE)


@pytest.mark.parametrize("html", [" \n", "<!-- -->", "{}", "\x00", "<html></html>", "plain words", "<" * 1000])
def test_what_is_no_page_is_no_article(html: str) -> None:
    with pytest.raises(NotAnArticle):
        extract(html, URL, SOURCE)


def test_a_page_nested_deeper_than_the_stack_is_no_crash() -> None:
    for depth in (1_500, 30_000):
        try:
            text = extract(page(tail="<b>" * depth + "깊은 곳" + "</b>" * depth), URL, SOURCE).text
            assert "정부는" in text
        except NotAnArticle as error:
            assert "generic" in str(error)


def test_the_articles_address_is_its_own_word_on_its_own_host() -> None:
    named = '<link rel="canonical" href="/news/1?a=b">'
    assert extract(page(head=named), URL + "?utm_source=x", SOURCE).url == "https://h.example/news/1?a=b"
    foreign = extract(page(head='<link rel="canonical" href="https://other.example/n">'), URL, SOURCE)
    assert (foreign.url, foreign.canonical) == (URL, "https://other.example/n")


def test_a_source_that_does_not_strip_keeps_its_datelines() -> None:
    html = page(body="article_body", text="(서울=한빛) 김하늘 기자 = " + TEXT * 3)
    assert extract(html, URL, replace(SOURCE, strip=False)).text.startswith("(서울=한빛) 김하늘 기자 = 정부는")
    assert extract(html, URL, SOURCE).text.startswith("정부는")
