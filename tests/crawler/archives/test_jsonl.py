import bz2
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from crawler.archives import jsonl
from crawler.archives.origin import Origin
from korbert.errors import UsageError

ORIGIN = Origin("jsonl", "operator's own file", True, "a test")


def record(number: int, **fields: object) -> dict[str, object]:
    return {
        "id": f"n{number}",
        "title": f"{number}번째",
        "text": f"본문 {number}\n둘째 줄",
        "date": "2021-03-04T05:06:07+09:00",
        **fields,
    }


def written(path: Path, records: list[object]) -> str:
    text = "".join((r if isinstance(r, str) else json.dumps(r, ensure_ascii=False)) + "\n" for r in records)
    opened = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix, open)
    with opened(path, "wb") as file:
        file.write(text.encode())
    return str(path)


def read(path: str, start: int = 0, origin: Origin = ORIGIN):
    skipped: Counter[str] = Counter()
    return list(jsonl.read(path, start, origin, skipped)), skipped


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.bz2"])
def test_reading_goes_on_from_every_position_as_if_it_had_never_stopped(tmp_path, name):
    path = written(tmp_path / name, [record(i) for i in range(5)])
    whole, skipped = read(path)
    assert [a.native_id for _, a in whole] == ["n0", "n1", "n2", "n3", "n4"]
    assert not skipped
    for i, (position, _) in enumerate(whole):
        assert read(path, position)[0] == whole[i + 1 :]


def test_an_article_has_all_that_its_line_says(tmp_path):
    line = record(
        1, url="https://h.example/1", press="한빛", section="사회", byline="김하늘 기자", modified="2021-03-05"
    )
    ((_, article),), _ = read(written(tmp_path / "a.jsonl", [line]))
    assert (article.url, article.press, article.section, article.byline) == (
        "https://h.example/1",
        "한빛",
        "사회",
        "김하늘 기자",
    )
    assert article.published_at.isoformat() == "2021-03-04T05:06:07+09:00"
    assert article.modified_at.isoformat() == "2021-03-05T00:00:00+09:00"
    assert (article.licence, article.may_train, article.evidence) == ("operator's own file", True, "a test")


@pytest.mark.parametrize(
    ("fields", "of_origin", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"licence": "CC BY 4.0"}, True, True),
        ({"licence": "CC BY 4.0"}, False, False),
        ({"licence": "CC BY-NC 4.0"}, True, False),
        ({"licence": "KOGL type 3"}, True, False),
        ({"licence": "KOGL type 1", "opt_out": "footer: AI 학습 금지"}, True, False),
    ],
)
def test_a_line_may_forbid_training_and_never_allow_it(tmp_path, fields, of_origin, expected):
    origin = Origin("jsonl", "own", of_origin, "a test")
    ((_, article),), _ = read(written(tmp_path / "a.jsonl", [record(1, **fields)]), origin=origin)
    assert article.may_train is expected
    assert article.licence == fields.get("licence", "own")


def test_lines_that_are_no_article_are_counted_by_reason_and_stop_nothing(tmp_path):
    bad = [
        "{",
        "[1]",
        "[" * 100_000,
        record(1, text=" \n"),
        record(2, text=7),
        record(3, id=None),
        record(4, id=True),
        record(5, date="yesterday"),
        record(6, date="0001-01-01T00:00:00+14:00"),
        record(7, date="1492-01-01"),
        record(8, id="x" * 1001),
        "",
        '{"id": "\\ud800", "title": 1}',
    ]
    rows, skipped = read(written(tmp_path / "a.jsonl", [*bad, record(9)]))
    assert [a.native_id for _, a in rows] == ["n9"]
    assert skipped == {
        "no JSON": 2,
        "no JSON object": 1,
        "no text": 1,
        "text is no text": 1,
        "no id": 2,
        "no date": 2,
        "broken rule": 2,
        "title is no text": 1,
    }


def test_a_damaged_or_other_file_is_an_error_that_says_where(tmp_path):
    path = written(tmp_path / "a.jsonl.gz", [record(i) for i in range(500)])
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match="after byte"):
        read(path)
    short = written(tmp_path / "b.jsonl", [record(1)])
    with pytest.raises(UsageError, match="ends before byte 10000"):
        read(short, 10_000)
    with pytest.raises(UsageError, match="cannot be read"):
        read(str(tmp_path / "none.jsonl"))


def test_a_line_without_an_end_passes_as_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 1 << 21)
    path = written(tmp_path / "a.jsonl", ["x" * (5 << 20), record(1)])
    rows, skipped = read(path)
    assert [a.native_id for _, a in rows] == ["n1"]
    assert skipped["no JSON"] >= 1
