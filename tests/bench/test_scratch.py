"""A measurement leaves nothing behind, and touches nobody's database."""

import os

import pytest

from korbert.bench.scratch import scratch
from korbert.db.connection import connect


def test_a_measurement_has_a_server_of_its_own_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user@production/news")
    monkeypatch.setenv("KORBERT_PG_DATA", "/nowhere")
    with scratch() as (folder, url):
        connect(url).close()
        assert "production" not in url
        assert list((folder / "server").rglob("PG_VERSION"))
        assert os.environ["KORBERT_PG_DATA"] == str(folder / "server")
    assert not folder.exists()
    assert os.environ["DATABASE_URL"] == "postgresql://user@production/news"
    assert os.environ["KORBERT_PG_DATA"] == "/nowhere"
