"""Files come in by COPY, once, and go on where they were interrupted."""

import gzip
import json

import pytest

import korbert.db.bulk
from crawler.__main__ import main
from crawler.commands import imports
from korbert.db.articles import read_trainable
from korbert.db.takedowns import forget


def line(number: int, **changes) -> str:
    record = {"id": f"{number:04}", "title": f"제목 {number}", "text": f"본문 {number}", "date": "2020-01-02"}
    return json.dumps(record | changes, ensure_ascii=False) + "\n"


@pytest.fixture
def command(database_url, capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)

    def run(*arguments):
        code = main(["import", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def stored(connection, source="jsonl"):
    return [a.native_id for a in read_trainable(connection, source)]


@pytest.mark.parametrize("name", ["articles.jsonl", "articles.jsonl.gz"])
def test_a_file_comes_in_whole_and_a_second_time_changes_nothing(command, connection, tmp_path, name):
    content = "".join(map(line, range(25))).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert command("jsonl", tmp_path / name) == (0, "import jsonl: 25 new, 0 changed, 0 unchanged\n", "")
    assert len(stored(connection)) == 25
    assert command("jsonl", tmp_path / name)[1] == "import jsonl: 0 new, 0 changed, 0 unchanged; 25 read before\n"
    assert command("jsonl", tmp_path / name, "--from-start")[1] == "import jsonl: 0 new, 0 changed, 25 unchanged\n"


def test_an_interrupted_import_goes_on_after_its_last_whole_batch(command, connection, tmp_path, monkeypatch):
    file = tmp_path / "articles.jsonl"
    file.write_text("".join(map(line, range(25))))
    whole = korbert.db.bulk.copy_batch

    def failing(cursor, articles):
        if articles[0].native_id == "0020":
            raise KeyboardInterrupt
        return whole(cursor, articles)

    monkeypatch.setattr(
        korbert.db.bulk.copy_in, "__kwdefaults__", {**korbert.db.bulk.copy_in.__kwdefaults__, "batch": 10}
    )
    monkeypatch.setattr(korbert.db.bulk, "copy_batch", failing)
    assert command("jsonl", file)[0] == 130
    assert len(stored(connection)) == 20
    monkeypatch.setattr(korbert.db.bulk, "copy_batch", whole)
    assert command("jsonl", file)[1] == "import jsonl: 5 new, 0 changed, 0 unchanged; 20 read before\n"
    assert len(stored(connection)) == 25


def test_what_is_no_article_or_was_taken_down_is_counted(command, connection, tmp_path):
    forget(connection, "id", "0001")
    file = tmp_path / "articles.jsonl"
    file.write_text(line(0) + line(1) + line(2, text="") + "{broken\n" + line(3, date=None))
    assert command("jsonl", file, "--source", "own")[1] == (
        "import own: 1 new, 0 changed, 0 unchanged; 1 taken down; "
        "1 skipped (no JSON); 1 skipped (no date); 1 skipped (no text)\n"
    )
    assert stored(connection, "own") == ["0000"]


def test_a_file_of_the_same_name_with_other_content_begins_anew(command, tmp_path):
    for number in (1, 2):
        (tmp_path / "articles.jsonl").write_text(line(number))
        assert "1 new" in command("jsonl", tmp_path / "articles.jsonl")[1]


def test_a_file_grown_at_its_end_is_another_file(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"x" * (2 << 20))
    first = imports.identity(str(file))
    file.write_bytes(b"x" * (2 << 20) + b"y")
    assert imports.identity(str(file)) != first


def test_every_kind_of_file_has_a_reader_and_rights():
    from crawler.archives import READERS
    from crawler.publishers import SOURCES

    assert set(imports.PUBLISHERS) == set(READERS)
    assert set(imports.PUBLISHERS.values()) <= set(SOURCES)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("jsonl", "nowhere.jsonl"), "nowhere.jsonl: No such file"),
        (("jsonl", "other://nowhere"), "other://nowhere: "),
        (("pdf", "x"), "invalid choice"),
        (("jsonl", "nowhere", "--permissions", "gone.toml"), "gone.toml"),
    ],
)
def test_wrong_arguments_are_one_line(command, tmp_path, monkeypatch, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err
