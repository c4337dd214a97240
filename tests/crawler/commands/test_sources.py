import json

import pytest

from crawler.__main__ import main
from crawler.publishers import SOURCES

PERMISSION = """[[permission]]
source = "{source}"
granted_by = "Example Press Ltd"
date = 2026-01-01
reference = "contract 17"
covers = ["collect"]
"""


def listed(capsys, *arguments):
    assert main(["sources", "--json", *arguments]) == 0
    return {source["source"]: source for source in json.loads(capsys.readouterr().out)}


def test_every_source_is_listed_with_what_it_allows(capsys):
    sources = listed(capsys)
    assert list(sources) == list(SOURCES)
    assert (sources["newsroom"]["collect"], sources["newsroom"]["train"]) == (True, True)
    assert (sources["naver_search"]["collect"], sources["naver_search"]["train"]) == (False, False)
    assert sources["naver_search"]["credentials"] == ["NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET"]
    assert all(source["kinds"] and source["evidence"] for source in sources.values())


def test_a_recorded_permission_is_taken_into_account(capsys, tmp_path):
    path = tmp_path / "permissions.toml"
    path.write_text(PERMISSION.format(source="naver_search"))
    sources = listed(capsys, "--permissions", str(path))
    assert (sources["naver_search"]["collect"], sources["naver_search"]["train"]) == (True, False)
    assert "contract 17" in sources["naver_search"]["evidence"]
    assert not sources["naver_lists"]["collect"]


def test_a_permission_for_a_source_that_there_is_not_is_refused(capsys, tmp_path):
    path = tmp_path / "permissions.toml"
    path.write_text(PERMISSION.format(source="naver"))
    assert main(["sources", "--permissions", str(path)]) == 2
    assert "source = 'naver': there are: newsroom, naver_search" in capsys.readouterr().err


@pytest.mark.parametrize("name", SOURCES)
def test_people_read_the_rights_beside_each_source(capsys, name):
    assert main(["sources"]) == 0
    (shown,) = [part for part in capsys.readouterr().out.split("\n\n") if part.startswith(f"{name} (")]
    assert SOURCES[name].rights.licence in shown
    assert SOURCES[name].rights.evidence in shown
