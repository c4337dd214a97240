from itertools import islice
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.extract import NotAnArticle, extract
from crawler.newsroom.articles import load, printed
from crawler.newsroom.pages import charset_of, page_of, path_of
from crawler.publishers.newsroom import SOURCE as NEWSROOM
from korbert.chain import shipped_articles
from korbert.storage import read_jsonl

PAGES = Path(__file__).parents[1] / "pages" / "newsroom"
ROOT = "http://newsroom.example"
CODECS = {"utf-8": "utf-8", "euc-kr": "cp949"}


def reread(article, related=()):
    html = page_of(article, ROOT, related).decode(CODECS[charset_of(article)])
    return extract(html, ROOT + path_of(article), NEWSROOM)


def differences(article, page):
    """Names of the fields in which the page's article is not the printed one."""
    pairs = {
        "title": (page.title, article.title),
        "text": (page.text, article.text),
        "press": (page.press, article.press),
        "section": (page.section, article.section),
        "byline": (page.byline, article.byline),
        "published": (page.published, article.published),
        "url": (page.url, ROOT + path_of(article)),
        "id": (NEWSROOM.native_id(page.url), article.id),
        "opt_out": (page.opt_out, ""),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def test_every_shipped_article_comes_back_exactly():
    articles = load(shipped_articles())
    assert [d for a in articles if (d := differences(a, reread(a, articles[:5])))] == []


@pytest.mark.shared
def test_real_articles_come_back_exactly(shared_data):
    records = islice(read_jsonl(shared_data / "corpus" / "news.jsonl.zst"), 0, None, 100)
    articles = list(printed(records, "news"))
    assert {a.legacy for a in articles} == {True, False}
    assert sum(bool(differences(a, reread(a, articles[:5]))) for a in articles) == 0


@given(
    text=st.text(min_size=1, max_size=200),
    title=st.text(max_size=40),
    name=st.text(max_size=20),
    number=st.text(min_size=1, max_size=20).filter(lambda t: t.isprintable() and t == t.strip()),
    year=st.sampled_from(["2015", "2024"]),
)
@example(text="a<br>b&amp;&#10;\u2028\u3000c", title="</h2>", name="'\"", number="../a b%2F?#&=+", year="2024")
@example(text="</div></article><script>x</script>", title="<!--", name="&", number="가/나", year="2015")
@example(text="]]>\ufeff한\u200b글\xad 漢字 😀\ue000", title="😀", name="ᄒᆞᆫ글", number="%", year="2015")
@settings(max_examples=80, deadline=None)
def test_any_text_survives_print_and_extraction_in_both_layouts(text, title, name, number, year):
    record = {
        "id": number,
        "press": name,
        "section": name,
        "title": title,
        "date": f"{year}-02-03",
        "text": "가" + text,
    }
    (article,) = printed([record], "hypothesis")
    assert differences(article, reread(article)) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("media_end_head_headline", "other"), "no title at h2.media_end_head_headline"),
        (('id="dic_area"', 'id="else"'), "no body at #dic_area"),
        (("_ARTICLE_DATE_TIME", "x"), "no time at span._ARTICLE_DATE_TIME"),
        (("2022-07-01 00:05:09", "yesterday"), "the time at span._ARTICLE_DATE_TIME is 'yesterday'"),
        (("2022-07-01 00:05:09", "2022-02-30 00:00:00"), "is '2022-02-30 00:00:00'"),
    ],
)
def test_a_page_in_no_layout_says_what_is_missing_in_each(change, reason):
    html = (PAGES / "current.html").read_text().replace(*change)
    with pytest.raises(NotAnArticle) as caught:
        extract(html, ROOT, NEWSROOM)
    assert reason in str(caught.value)
    assert "no title at h3#articleTitle" in str(caught.value)


def test_a_page_printed_after_its_layout_ended_is_refused():
    html = (PAGES / "legacy.html").read_text().replace("2019.04.05.", "2020.01.01.")
    with pytest.raises(NotAnArticle, match="after the layout's end on 2020-01-01"):
        extract(html, ROOT, NEWSROOM)


@pytest.mark.parametrize("html", ["", " \n", "<!-- -->", "{}", "\x00", "<html></html>", "plain words", "<" * 1000])
def test_what_is_no_page_is_no_article(html):
    with pytest.raises(NotAnArticle):
        extract(html, ROOT, NEWSROOM)


def test_a_page_nested_deeper_than_the_stack_is_no_crash():
    html = (PAGES / "current-div.html").read_text()
    for depth, fits in ((1500, True), (50_000, False)):
        deep = html.replace("본문은 div 안에 있다.", "<b>" * depth + "깊은 곳" + "</b>" * depth)
        if fits:
            assert extract(deep, ROOT, NEWSROOM).text.startswith("깊은 곳")
            continue
        # libxml2 gives up at a depth of 2,048 and drops the rest.
        with pytest.raises(NotAnArticle):
            extract(deep, ROOT, NEWSROOM)
