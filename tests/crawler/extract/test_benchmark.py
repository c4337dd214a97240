"""The Korean extraction benchmark: shipped articles in the templates of many kinds of site, token F1 with their text.

`sites/floor.json` holds the floors of the mean and of the worst template, the figures of the last time somebody wrote
them down, and the templates that were written after the extractor and never looked at for its sake (`held_out`).
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from statistics import mean
from string import Template

import pytest

from crawler.extract import Extracted, extract
from crawler.newsroom.articles import NewsArticle, load
from crawler.newsroom.pages import charset_of, page_of, path_of
from crawler.publishers.newsroom import SOURCE as NEWSROOM
from crawler.publishers.sites import SOURCE as ANY_SITE
from korbert.chain import shipped_articles

FOLDER = Path(__file__).parents[1] / "sites"
TEMPLATES = sorted(FOLDER.glob("*.html"))
ARTICLES_A_TEMPLATE = 6
NOISE = re.compile(r"[@ⓒ©▶■※☞]|제보|저작권자|^\[[가-힣 ]+\]$|기자$|송고|\(끝\)")
DATELINE = re.compile(r"^\[[^\]]{2,20} 기자\] ?|^[(\[]?[^=()]{1,20}=[^=()]{1,15}[)\]] ?(?:[^=]{2,25}= )?")
MENU = ("정치", "경제", "사회", "문화", "스포츠", "날씨", "전체 기사")
COMMENTS = (
    "좋은 기사 잘 읽었습니다.",
    "저도 그 자리에 있었는데 조금 다르게 보았습니다. 다음 기사도 기다립니다!",
    "ㅋㅋㅋ",
)


def articles() -> list[NewsArticle]:
    """Shipped articles without the boilerplate they are printed with: the templates bring their own."""
    found = []
    for article in load(shipped_articles()):
        paragraphs = tuple(DATELINE.sub("", p) for p in article.paragraphs if not NOISE.search(p))
        if len(paragraphs) >= 3 and sum(map(len, paragraphs)) > 300:
            found.append(replace(article, paragraphs=paragraphs))
    return found


def page(template: Path, article: NewsArticle, others: list[NewsArticle]) -> str:
    """The article printed in a template."""
    at, lines = article.published, [escape(p, quote=False) for p in article.paragraphs]
    titles = [escape(other.title) for other in others]
    fields = {
        "title": escape(article.title.replace('"', "”").replace("\\", "")),
        "press": article.press,
        "section": article.section,
        "reporter": "김하늘 기자",
        "city": "서울",
        "url": "https://site.example/news/1",
        "iso": at.isoformat(),
        "utc": at.astimezone(tz=None).isoformat(),
        "dotted": f"{at:%Y.%m.%d %H:%M}",
        "spaced": f"{at.year}. {at.month}. {at.day}. {at:%H:%M}",
        "spelt": f"{at:%Y년 %m월 %d일 %H:%M}",
        "hyphened": f"{at:%Y-%m-%d %H:%M}",
        "compact": f"{at:%Y%m%d%H%M%S}",
        "menu": "".join(f'<li><a href="/{i}">{name}</a></li>' for i, name in enumerate(MENU)),
        "menu_div": "".join(f'<div><a href="/{i}">{name}</a></div>' for i, name in enumerate(MENU)),
        "menu_rows": "".join(f'<tr><td><a href="/{i}">{name}</a></td></tr>' for i, name in enumerate(MENU)),
        "paragraph_1": lines[0],
        "paragraphs_p": "\n".join(f"<p>{line}</p>" for line in lines),
        "paragraphs_rest": "\n".join(f"<p>{line}</p>" for line in lines[1:]),
        "paragraphs_div": "\n".join(f"<div>{line}</div>" for line in lines),
        "paragraphs_br": "<br><br>\n".join(lines),
        "related": "".join(f'<li><a href="/news/{i}">{title}</a></li>' for i, title in enumerate(titles)),
        "related_br": "".join(f'· <a href="/news/{i}">{title}</a><br>' for i, title in enumerate(titles)),
        "related_1": titles[0],
        "comments": "".join(f"<li><b>읽는이{i}</b><p>{text}</p></li>" for i, text in enumerate(COMMENTS)),
    }
    return Template(template.read_text()).substitute(fields)


def token_f1(text: str, gold: str) -> float:
    """F1 of the tokens between white space, as multisets."""
    found, wanted = Counter(text.split()), Counter(gold.split())
    shared = (found & wanted).total()
    return 2 * shared / (found.total() + wanted.total())


@dataclass(frozen=True)
class Printed:
    """A page's article as it was printed and as it was read."""

    template: str
    gold: NewsArticle
    read: Extracted

    @property
    def f1(self) -> float:
        return token_f1(self.read.text, self.gold.text)


@pytest.fixture(scope="module")
def pages() -> list[Printed]:
    """Every template with its articles, and the newsroom's two layouts."""
    chosen, found = articles(), []
    for i, template in enumerate(TEMPLATES):
        for j in range(ARTICLES_A_TEMPLATE):
            at = (i * ARTICLES_A_TEMPLATE + j) * 3 % len(chosen)
            html = page(template, chosen[at], [chosen[(at + k) % len(chosen)] for k in range(1, 6)])
            found.append(Printed(template.stem, chosen[at], extract(html, "https://site.example/news/1", ANY_SITE)))
    for article in chosen[::20]:
        html = page_of(article, "http://n.example").decode({"euc-kr": "cp949"}.get(charset_of(article), "utf-8"))
        name = "newsroom legacy" if article.legacy else "newsroom current"
        found.append(Printed(name, article, extract(html, "http://n.example" + path_of(article), NEWSROOM)))
    return found


def test_the_mean_f1_is_above_its_floor_and_every_template_near_it(pages: list[Printed]) -> None:
    by_template: dict[str, list[float]] = {}
    for printed in pages:
        by_template.setdefault(printed.template, []).append(printed.f1)
    figures = {name: round(mean(values), 4) for name, values in by_template.items()}
    kept = json.loads((FOLDER / "floor.json").read_text())
    figures["held out"] = round(mean(p.f1 for p in pages if p.template in kept["held_out"]), 4)
    figures["mean"] = round(mean(printed.f1 for printed in pages), 4)
    for name, figure in figures.items():
        print(f"{name:18} {len(by_template.get(name, [])):3} pages  F1 {figure:.4f}  last {kept['last'].get(name)}")
    assert len(pages) >= 40
    assert len(by_template) >= 8
    assert figures["mean"] >= kept["floor"]
    assert min(figures.values()) >= kept["floor_of_each"]
    assert kept["last"].keys() == figures.keys(), "a template without a figure: write down what is printed above"


def test_titles_and_times_of_every_template_are_read(pages: list[Printed]) -> None:
    wrong = [
        (p.template, p.read.title, p.read.published.isoformat())
        for p in pages
        if p.read.title != p.gold.title.replace('"', "”")
        or p.read.published != p.gold.published.replace(second=p.read.published.second)
    ]
    assert wrong == []


def test_refusals_of_training_are_seen_where_a_template_prints_one_and_nowhere_else(pages: list[Printed]) -> None:
    refusing = {p.template for p in pages if p.read.opt_out}
    assert refusing == {"agency", "single_page_app"}
    assert all(p.read.opt_out == "footer: AI 학습 및 활용 금지" for p in pages if p.template in refusing)
