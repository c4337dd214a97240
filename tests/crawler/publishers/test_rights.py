"""No source is collected, and no article trained on, without a right that is written down."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from crawler.publishers import SOURCES
from crawler.publishers.rights import Permission, no_training, permitted, read_permissions
from korbert.errors import UsageError

TODAY = date(2026, 11, 22)
NAVER, NEWSROOM = SOURCES["naver_lists"], SOURCES["newsroom"]
LETTER = Permission("naver_lists", "Example Press Ltd", date(2026, 1, 1), "contract 17", ("collect",))

ENTRY = """[[permission]]
source = "naver_lists"
granted_by = "Example Press Ltd"
date = 2026-01-01
reference = "contract 17"
covers = ["collect", "train"]
expires = "2027-01-01"
"""


@pytest.mark.parametrize("name", [name for name in SOURCES if name.startswith("naver")])
def test_naver_is_refused_in_one_line_with_right_evidence_and_next_step(name):
    with pytest.raises(UsageError) as caught:
        permitted(SOURCES[name], (), TODAY)
    message = str(caught.value)
    assert message.startswith(f"source '{name}': may not be collected: robots.txt: ")
    for part in ("Disallow: /", "https://news.naver.com/robots.txt", "read 2026-11-01", "crawl.permissions"):
        assert part in message
    assert "\n" not in message


def test_a_source_whose_rights_allow_it_needs_no_permission():
    grant = permitted(NEWSROOM, (), TODAY)
    rights = NEWSROOM.rights
    assert (grant.licence, grant.may_train, grant.evidence) == (rights.licence, True, rights.evidence)


def test_a_permission_to_collect_allows_no_training_and_is_kept_as_evidence():
    grant = permitted(NAVER, [LETTER], TODAY)
    assert not grant.may_train
    assert grant.evidence.endswith("; permission of Example Press Ltd of 2026-01-01 to collect: contract 17")
    assert NAVER.rights.evidence in grant.evidence


def test_what_is_not_trained_on_says_why_and_what_would_allow_it():
    line = no_training(NAVER)
    assert line.startswith("source 'naver_lists': its articles are collected and not trained on: robots.txt: AI")
    assert NAVER.rights.evidence in line
    assert "covers train" in line


def test_training_has_to_be_named():
    train = replace(LETTER, covers=("train",), reference="contract 18")
    assert permitted(NAVER, [LETTER, train], TODAY).may_train
    assert "contract 18" in permitted(NAVER, [LETTER, train], TODAY).evidence
    with pytest.raises(UsageError, match="may not be collected"):
        permitted(NAVER, [train], TODAY)


def test_a_licensed_source_may_be_collected_and_not_trained_on_without_a_permission():
    reserved = replace(NEWSROOM, rights=replace(NEWSROOM.rights, may_train=False))
    assert not permitted(reserved, (), TODAY).may_train
    own = replace(LETTER, source="newsroom", covers=("train",))
    assert permitted(reserved, [own], TODAY).may_train


@pytest.mark.parametrize(
    "permission",
    [
        replace(LETTER, source="naver_search"),
        replace(LETTER, expires=TODAY),
        replace(LETTER, date=TODAY + timedelta(days=1)),
    ],
    ids=["another source", "expired today", "not yet"],
)
def test_a_permission_that_does_not_hold_today_or_is_anothers_permits_nothing(permission):
    with pytest.raises(UsageError, match="may not be collected"):
        permitted(NAVER, [permission], TODAY)


def test_a_permission_holds_on_the_day_before_it_ends():
    assert permitted(NAVER, [replace(LETTER, expires=TODAY)], TODAY - timedelta(days=1)).licence


def test_permissions_are_read_from_a_file(tmp_path):
    path = tmp_path / "permissions.toml"
    path.write_text(ENTRY + ENTRY.replace("naver_lists", "naver_search").replace('expires = "2027-01-01"\n', ""))
    first, second = read_permissions(str(path))
    assert first == replace(LETTER, covers=("collect", "train"), expires=date(2027, 1, 1))
    assert (second.source, second.expires) == ("naver_search", None)
    assert read_permissions("") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold tables \\[\\[permission\\]\\]"),
        ("permission = 1", "must hold tables"),
        ("x = 1\n" + ENTRY, "and nothing else"),
        ("[[permission", "is no TOML in UTF-8"),
        (ENTRY.replace('reference = "contract 17"\n', ""), "permission 1: must have the fields source, granted_by"),
        (ENTRY + "to = 1\n", "and no other"),
        (ENTRY.replace("contract 17", " "), "reference = ' ': must be a text that is not empty"),
        (ENTRY.replace('"collect", "train"', ""), "covers = \\[\\]: must be a list of: collect, train"),
        (ENTRY.replace('"train"', '"all"'), "must be a list of: collect, train"),
        (ENTRY.replace("date = 2026-01-01", "date = 2026-01-01T00:00:00"), "date = .* must be a day like 2026-09-07"),
        (ENTRY.replace("2027-01-01", "soon"), "expires = 'soon': must be a day"),
    ],
)
def test_a_file_that_says_it_otherwise_is_refused_with_the_reason(tmp_path, text, message):
    path = tmp_path / "permissions.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_permissions(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_utf8_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_permissions(str(tmp_path / "none.toml"))
    (tmp_path / "euc.toml").write_bytes("뷁".encode("cp949"))
    with pytest.raises(UsageError, match="is no TOML in UTF-8"):
        read_permissions(str(tmp_path / "euc.toml"))
