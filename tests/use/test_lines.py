"""Files of rows: every format, compressed or not; a line without a row keeps its place and says why."""

import gzip
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from korbert.errors import UsageError
from korbert.use.lines import Line, count_lines, format_of, read_lines
from korbert.use.rows import Row, Shape

SINGLE, PAIRS, SPAN = Shape(False, False), Shape(False, True), Shape(True, True)


def read(path: Path, content: bytes, form: str, shape: Shape = SINGLE) -> list[Line]:
    path.write_bytes(content)
    return list(read_lines(str(path), form, shape))


def test_a_text_a_line_and_an_empty_line_is_an_empty_text(tmp_path: Path) -> None:
    lines = read(tmp_path / "a.txt", "\ufeff좋다\r\n\n나쁘다\u2028다\n".encode(), "txt")
    assert [line.row for line in lines] == [Row("좋다"), Row(""), Row("나쁘다\u2028다")]
    assert [line.number for line in lines] == [1, 2, 3]


def test_objects_keep_their_ids_and_bad_ones_their_places(tmp_path: Path) -> None:
    content = b'{"text": "a", "id": 7}\n\n{"text": 1}\nnot json\n[1]\n\xff\n{"text": "b"}'
    lines = read(tmp_path / "a.jsonl", content, "jsonl")
    assert [(line.number, line.row) for line in lines if line.row] == [(1, Row("a")), (7, Row("b"))]
    assert lines[0].name == 7
    assert [(line.number, line.why[:12]) for line in lines if not line.row] == [
        (3, "text must be"), (4, "is not JSON "), (5, "is a list, n"), (6, "is not UTF-8"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "shape", "rows"),
    [
        ("id\tdocument\tlabel\n1\t좋다\t1\n2\t\t0\n", SINGLE, [Row("좋다"), Row("")]),
        ("좋다\t1\n나쁘다\t0\n", SINGLE, [Row("좋다"), Row("나쁘다")]),
        ("가\t나\n", PAIRS, [Row("가", "나")]),
        ("sentence1\tsentence2\tlabel\n가\t나\t1\n", PAIRS, [Row("가", "나")]),
        ("question\tcontext\n누구\t그가 왔다\n", SPAN, [Row("누구", "그가 왔다")]),
        ("누구\t그가 왔다\n", SPAN, [Row("누구", "그가 왔다")]),
        ('"가\t나"\n', PAIRS, [Row('"가', '나"')]),
    ],
)
def test_tables_are_read_by_their_header_or_by_their_order(
    tmp_path: Path, content: str, shape: Shape, rows: list[Row]
) -> None:
    assert [line.row for line in read(tmp_path / "a.tsv", content.encode(), "tsv", shape)] == rows


def test_a_table_row_of_other_columns_is_bad(tmp_path: Path) -> None:
    lines = read(tmp_path / "a.tsv", b"text\tlabel\na\t1\nb\nc\t1\t2\n", "tsv")
    assert [line.why for line in lines] == ["", "has 1 columns, its header 2", "has 3 columns, its header 2"]


def test_a_pair_that_lacks_its_second_text_is_bad(tmp_path: Path) -> None:
    [line] = read(tmp_path / "a.tsv", "가\n".encode(), "tsv", PAIRS)
    assert (line.row, line.why) == (None, "has one text; this model asks for two")


@pytest.mark.parametrize("ending", ["", ".zst", ".gz"])
def test_compressed_files_are_read_and_counted(tmp_path: Path, ending: str) -> None:
    content = "".join(f"문장 {number}\n" for number in range(5000)).encode()
    packed = {"": content, ".zst": zstandard.compress(content), ".gz": gzip.compress(content)}[ending]
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(packed)
    assert [line.row.text for line in read_lines(str(path), "txt", SINGLE) if line.row][::4999] == [
        "문장 0",
        "문장 4999",
    ]
    assert count_lines(str(path)) == 5000


@pytest.mark.parametrize("ending", [".zst", ".gz"])
def test_a_damaged_file_is_a_mistake_in_a_line(tmp_path: Path, ending: str) -> None:
    content = "".join(f"문장 {number * 7919}\n" for number in range(50_000)).encode()
    packed = {".zst": zstandard.compress(content), ".gz": gzip.compress(content)}[ending]
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(b"\x00" * 20 + packed[20:])
    with pytest.raises(UsageError, match="a.txt"):
        list(read_lines(str(path), "txt", SINGLE))


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO("가\n나".encode())))
    assert [line.row for line in read_lines("-", "txt", SINGLE)] == [Row("가"), Row("나")]


def test_a_format_is_told_by_the_name_or_by_word() -> None:
    assert format_of("a.jsonl.zst") == "jsonl"
    assert format_of("-") == "txt"
    assert format_of("ratings.txt", "tsv") == "tsv"
    with pytest.raises(UsageError, match="--format"):
        format_of("a.csv")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UsageError, match="nowhere.txt"):
        list(read_lines("nowhere.txt", "txt", SINGLE))
