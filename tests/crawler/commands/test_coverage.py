"""The coverage as people and programs read it."""

import json

import pytest

from crawler.__main__ import main
from crawler.newsroom.server import serving
from korbert.db.connection import transaction


@pytest.fixture
def command(database_url, capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)

    def run(*arguments):
        code = main(["coverage", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_a_whole_crawl_is_covered_without_gaps(crawls, articles, command):
    with serving(articles) as site:
        assert crawls.run(site.root).code == 0
    code, out, _ = command()
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "newsroom-test"
    assert [line.split()[0] for line in lines[2:]] == [
        "(no", "2019-11", "2019-12", "2020-01", "2020-02", "all", "gaps:",
    ]  # fmt: skip
    assert lines[-2].split()[-3:] == ["48", "48", "100.0%"]
    assert lines[-1] == "gaps: none"
    record = json.loads(command("--json")[1])[0]
    assert (record["yield"], record["below_floor"], record["gaps"]) == (1.0, [], [])
    assert sum(month["articles"] for month in record["months"]) == 48
    assert json.loads(command("--json", "--until", "2020-03")[1])[0]["gaps"] == [
        {"first": "2020-03", "last": "2020-03", "of": ""}
    ]


def test_a_yield_under_the_floor_is_exit_code_3(command, connection):
    with transaction(connection) as cursor:
        cursor.execute(
            "INSERT INTO slice (source, kind, query, month, page, state, fetched, extracted) "
            "SELECT 's', 'list', '', to_char(day, 'YYYY-MM-DD'), 1, CASE WHEN extract(day FROM day)::int % 2 = 0 "
            "THEN 'done' ELSE 'failed' END, 10, 8 "
            "FROM generate_series('2016-01-01', '2016-03-01', '1 day'::interval) AS day"
        )
    code, out, _ = command()
    assert code == 3
    assert "yield under the floor of 90%: all, the last 7 days, 2016-01, 2016-02; a layout may have changed" in out
    assert "gaps: 2016-01-01, 2016-01-03," in out
    assert "and 10 more (--json has all)" in out
    assert command("--floor", "0.8")[0] == 0


def test_an_empty_ledger_says_so(command):
    assert command() == (0, "coverage: the ledger is empty\n", "")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--floor", "90"), "--floor 90.0: is a share"),
        (("--since", "2016-13"), "--since 2016-13: must be a month"),
        (("--source", "nobody"), "--source nobody: has neither slices nor articles"),
    ],
)
def test_wrong_arguments_are_one_line(command, arguments, complaint):
    code, _, err = command(*arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert complaint in err
