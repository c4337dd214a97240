"""Frozen pages, in the markup of each source and layout, with the article that is expected of each."""

import dataclasses
import json
from pathlib import Path

import pytest

from crawler.extract import extract
from crawler.publishers.newsroom import SOURCE as NEWSROOM

FOLDER = Path(__file__).parents[1] / "pages"
PAGES = sorted(FOLDER.glob("*/*.html"))
GENERIC = dataclasses.replace(NEWSROOM, name="generic", layouts=(), strip=True)
SOURCES = {
    "newsroom": NEWSROOM,
}
"""Folders of pages, with the source as which they are read."""
CHARSETS = {"euc-kr": "cp949"}


def as_json(page: Path) -> object:
    """The article on a frozen page, as its JSON says it."""
    extracted = dataclasses.asdict(
        extract(page.read_text(), "https://n.news.example/fetched", SOURCES[page.parent.name])
    )
    return json.loads(json.dumps(extracted, default=lambda moment: moment.isoformat()))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_frozen_page_gives_the_expected_article(page: Path) -> None:
    assert as_json(page) == json.loads(page.with_suffix(".json").read_text())


def test_every_folder_of_pages_has_its_source_and_every_page_its_article() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(SOURCES)
    assert {p.with_suffix(".json") for p in PAGES} == set(FOLDER.glob("*/*.json"))
