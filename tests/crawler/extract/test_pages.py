"""Frozen pages, in the markup of each source and layout, with the article that is expected of each."""

import dataclasses
import json
from datetime import date
from pathlib import Path

import pytest
from scrapy.http import HtmlResponse

from crawler.discovery.protocol import Answer, Scope
from crawler.extract import extract
from crawler.publishers import SOURCES
from korbert.db.ledger import SliceKey

FOLDER = Path(__file__).parents[1] / "pages"
PAGES = sorted(FOLDER.glob("*/*.html"))
URL = "https://n.news.example/fetched"
READ_AS = {"newsroom": "newsroom", "naver": "naver_lists", "site": "site", "policy_briefing": "policy_briefing"}
"""Folders of pages, with the source as which they are read."""


def plain(value: object) -> object:
    """A value as its JSON says it."""
    return json.loads(json.dumps(value, default=lambda moment: moment.isoformat()))


def as_json(page: Path) -> object:
    """The article on a frozen page, decoded as the crawler decodes it."""
    response = HtmlResponse(URL, body=page.read_bytes(), headers={"Content-Type": "text/html"})
    return plain(dataclasses.asdict(extract(response.text, URL, SOURCES[READ_AS[page.parent.name]])))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_frozen_page_gives_the_expected_article(page: Path) -> None:
    assert as_json(page) == json.loads(page.with_suffix(".json").read_text())


def test_a_frozen_answer_of_the_press_release_api_gives_the_expected_releases() -> None:
    page, source = FOLDER / "policy_briefing" / "releases.xml", SOURCES["policy_briefing"]
    (api,) = source.discoveries
    scope = Scope("policy_briefing", date(2025, 9, 10), date(2025, 9, 12))
    key = SliceKey("policy_briefing", "api", month="2025-09-10")
    found = api.read(Answer(URL, page.read_bytes()), scope, key, source)
    assert found.seen == 3
    expected = json.loads(page.with_suffix(".json").read_text())
    assert plain([dataclasses.asdict(ready) for ready in found.ready]) == expected


def test_every_layout_of_every_source_has_a_frozen_page() -> None:
    frozen = {json.loads(page.with_suffix(".json").read_text())["layout"] for page in PAGES}
    assert frozen == {layout.name for source in SOURCES.values() for layout in source.layouts} | {"generic"}


def test_every_folder_of_pages_has_its_source_and_every_page_its_article() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(READ_AS)
    pages = {path for path in FOLDER.glob("*/*") if path.suffix != ".json"}
    assert {path.with_suffix(".json") for path in pages} == set(FOLDER.glob("*/*.json"))
