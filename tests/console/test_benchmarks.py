"""`korbert benchmarks` lists every task, shows what files hold, and says where to get what it cannot."""

from pathlib import Path

import pytest

from korbert import tasks
from korbert.__main__ import main
from korbert.tasks import korsts, nsmc

HEADER = "id\tdocument\tlabel\n"


def test_every_task_is_listed_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmarks", "list"]) == 0
    said = capsys.readouterr().out
    for name in tasks.names():
        assert f"\n{name}: head {tasks.task(name).head}" in f"\n{said}"
    assert said.count("licence: ") == len(tasks.names())


def test_rows_are_counted_where_a_folder_is_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nsmc").mkdir()
    for name, rows in ((nsmc.TRAIN, 3), (nsmc.TEST, 2)):
        (tmp_path / "nsmc" / name).write_text(HEADER + "1\tx\t1\n" * rows, encoding="utf-8")
    assert main(["benchmarks", "list", "--data", str(tmp_path)]) == 0
    assert "rows: train 3, test 2" in capsys.readouterr().out


def test_files_are_looked_into_by_split_and_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / nsmc.TRAIN).write_text(HEADER + "1\t좋다\t1\n2\t좋다\t1\n3\t\t0\n", encoding="utf-8")
    (tmp_path / nsmc.TEST).write_text(HEADER + "4\t좋다\t1\n5\t나쁘다\t0\n", encoding="utf-8")
    assert main(["benchmarks", "inspect", "nsmc", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "train: 3 rows, characters 0-2 (median 2, 99% up to 2), 1 empty, 1 repeated" in said
    assert "        2  positive" in said
    assert "rows of test that are in train too: 1" in said


def test_scores_are_counted_by_whole_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = "\t".join(korsts.COLUMNS) + "\n"
    for name in (korsts.TRAIN, korsts.VALIDATION, korsts.TEST):
        (tmp_path / name).write_text(header + "a\tb\tc\td\t4.2\t가\t나\n", encoding="utf-8")
    assert main(["benchmarks", "inspect", "korsts", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.count("1  score 4 to below 5") == 3
    assert "  가 | 나" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["inspect", "squad", "--data", "."], "task 'squad': must be one of: "),
        (["get", "ner"], "ner: has no file that can be downloaded; get it by hand"),
        (["inspect", "korsts", "--data", "nowhere"], "name a folder that holds sts-train.tsv"),
    ],
)
def test_mistakes_are_answered_in_a_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["benchmarks", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
