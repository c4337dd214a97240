"""Marks of how far work has come go forward only."""

from datetime import UTC, datetime

import pytest

from korbert.db.connection import transaction
from korbert.db.marks import Imported, imported, last_success, set_imported, set_success

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def test_a_source_never_crawled_to_its_end_has_no_mark(connection):
    assert last_success(connection, "s") is None


@pytest.mark.parametrize("order", [(EARLY, LATE), (LATE, EARLY)])
def test_the_latest_success_counts_in_whatever_order_crawls_end(connection, order):
    for at in order:
        with transaction(connection) as cursor:
            set_success(cursor, "s", at)
    assert (last_success(connection, "s"), last_success(connection, "t")) == (LATE, None)


def test_an_import_adds_up_over_its_parts(connection):
    assert imported(connection, "s", "f") == Imported(0, 0)
    for position, articles in ((1000, 10), (2000, 5)):
        with transaction(connection) as cursor:
            set_imported(cursor, "s", "f", position, articles)
    assert imported(connection, "s", "f") == Imported(2000, 15)
    assert imported(connection, "t", "f") == Imported(0, 0)


def test_a_part_that_is_rolled_back_was_not_imported(connection):
    with pytest.raises(ZeroDivisionError), transaction(connection) as cursor:
        set_imported(cursor, "s", "f", 1000, 10)
        raise ZeroDivisionError
    assert imported(connection, "s", "f") == Imported(0, 0)
