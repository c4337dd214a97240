"""Coverage says what is whole and what is not."""

from datetime import UTC, datetime

import pytest

from korbert.db.articles import Article, store
from korbert.db.connection import transaction
from korbert.db.coverage import LEAST_PAGES, Coverage, Gap, Yield, coverage, gaps


def slice_(connection, month="", state="done", kind="list", source="s", **fields):
    values = {"source": source, "kind": kind, "query": "", "month": month, "page": 1, "state": state} | fields
    if state == "leased":
        values["leased_until"] = datetime(2100, 1, 1, tzinfo=UTC)
    with transaction(connection) as cursor:
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO slice ({names}) VALUES ({marks})", list(values.values()))


def put(connection, *moments, source="s"):
    with transaction(connection) as cursor:
        store(
            cursor,
            [
                Article(source, f"{n}", "", "", "본문", "", "", "", moment, "own", True, "e")
                for n, moment in enumerate(moments)
            ],
        )


def only(connection, **options) -> Coverage:
    (found,) = coverage(connection, **options)
    return found


def test_an_empty_ledger_has_no_coverage(connection):
    assert coverage(connection) == []


def test_slices_articles_and_totals_stand_by_month(connection):
    slice_(connection, "2016-01", page=1, total=40, seen=30, fetched=30, extracted=29)
    slice_(connection, "2016-01", page=2, total=41, seen=11, fetched=10, extracted=10)
    slice_(connection, "2016-02", state="failed")
    slice_(connection, "2016-02", state="leased", page=2)
    slice_(connection, kind="search", state="capped", query="경제", total=5000, seen=100)
    # 15:30 in London is the next day in Korea, and here the next month.
    put(connection, datetime(2016, 1, 31, 15, 30, tzinfo=UTC), datetime(2016, 1, 31, 14, 30, tzinfo=UTC))
    search, january, february = only(connection).months
    assert (search.month, search.slices["capped"], search.total) == ("", 1, 5000)
    assert (january.slices["done"], january.seen, january.total, january.articles) == (2, 41, 41, 1)
    assert january.pages == Yield(40, 39)
    assert (february.slices["failed"], february.slices["leased"], february.total, february.articles) == (1, 1, None, 1)


def test_sources_do_not_mix(connection):
    slice_(connection, "2016-01", seen=1)
    slice_(connection, "2016-01", source="t", seen=2)
    put(connection, datetime(2016, 1, 2, tzinfo=UTC), source="t")
    assert [(c.source, c.months[0].seen, c.months[0].articles) for c in coverage(connection)] == [
        ("s", 1, 0),
        ("t", 2, 1),
    ]
    assert only(connection, source="t").source == "t"


def test_imported_articles_have_a_coverage_without_slices(connection):
    put(connection, datetime(2016, 1, 2, tzinfo=UTC))
    found = only(connection)
    assert ([m.month for m in found.months], found.gaps, found.below(1.0)) == (["2016-01"], [], [])


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ({}, []),
        ({"2016-01": True, "2016-02": True}, []),
        ({"2016-01": True, "2016-04": True}, [("2016-02", "2016-03")]),
        ({"2015-12": False, "2016-01": True, "2016-02": False}, [("2015-12", "2015-12"), ("2016-02", "2016-02")]),
        ({"2016-02-28": True, "2016-03-01": True, "2016-03-02": True}, [("2016-02-29", "2016-02-29")]),
        ({"2016-01-01": True, "2016-01-04": False, "2016-01-07": True}, [("2016-01-04", "2016-01-04")]),
    ],
    ids=["nothing", "whole", "hole", "ends", "leap day", "windows of three days"],
)
def test_gaps_are_what_is_not_done(windows, expected):
    assert gaps(windows) == expected


def test_gaps_reach_to_the_months_that_ought_to_be_there():
    assert gaps({"2016-03": True}, "2016-01", "2016-05") == [("2016-01", "2016-02"), ("2016-04", "2016-05")]
    days = {"2016-02-01": True, "2016-02-02": True}
    assert gaps(days, "2016-01", "2016-02") == [("2016-01-01", "2016-01-31"), ("2016-02-03", "2016-02-29")]


def test_a_section_that_is_missing_is_named(connection):
    for month in ("2016-01", "2016-02"):
        slice_(connection, month, query="정치")
    slice_(connection, "2016-01", query="경제", state="capped")
    slice_(connection, "2016-02", query="경제")
    assert only(connection).gaps == [Gap("2016-01", "2016-01", "경제")]


def test_a_yield_of_few_pages_proves_nothing():
    assert not Yield(LEAST_PAGES - 1, 0).under(0.9)
    assert Yield(LEAST_PAGES, 0).under(0.9)
    assert not Yield(100, 90).under(0.9)
    assert Yield(100, 89).under(0.9)
    assert (Yield().share, Yield(4, 3).share) == (None, 0.75)


def test_a_new_layout_shows_in_its_month_and_in_the_last_days_though_the_whole_is_fine(connection):
    with transaction(connection) as cursor:
        cursor.execute(
            "INSERT INTO slice (source, kind, query, month, page, state, fetched, extracted, updated_at) VALUES "
            "('s', 'list', '', '2016-01', 1, 'done', 9000, 9000, now() - interval '30 days')"
        )
    slice_(connection, "2016-02", fetched=100, extracted=10)
    found = only(connection)
    assert found.pages == Yield(9100, 9010)
    assert found.below(0.9) == ["the last 7 days", "2016-02"]
    assert found.below(0.05) == []
