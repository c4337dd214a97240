"""A file's answers: in its order, published whole, gone on with after a kill, bad rows named and none lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from korbert.use import file
from korbert.use.answers import answered
from korbert.use.file import answer_file
from korbert.use.rows import Row

from .conftest import Tuned, sentences

KILLED = """
import sys, torch
from pathlib import Path
from korbert.use import file
from korbert.use.loading import load
torch.set_num_threads(1)
file.ROWS = 8
file.answer_file(load(Path(sys.argv[1])), sys.argv[2], Path(sys.argv[3]), form="txt", tokens=256, key="k")
"""


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, rows: int) -> list[str]:
    texts = [" ".join(words) for words in sentences(rows, seed=9, longest=20)]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return texts


def test_answers_stand_in_the_files_order_whatever_the_lengths(
    tuned: Tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usable, texts = tuned.model("sentence"), write(tmp_path / "in.txt", 50)
    monkeypatch.setattr(file, "ROWS", 16)
    tally = answer_file(usable, str(tmp_path / "in.txt"), tmp_path / "out.jsonl", form="txt", tokens=128)
    found = read(tmp_path / "out.jsonl")
    assert [answer["row"] for answer in found] == list(range(1, 51))
    assert (tally.rows, tally.bad, tally.resumed) == (50, 0, 0)
    for text, answer in zip(texts, found, strict=True):
        [alone], _ = answered(usable, [Row(text)])
        assert answer["label"] == alone["label"]
        assert answer["probability"] == pytest.approx(alone["probability"], abs=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", "out.jsonl"]


def test_bad_rows_are_counted_named_and_keep_their_lines(tuned: Tuned, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(
        '{"text": "영화 최고", "id": "\\ud800"}\n{"text": 3, "id": 5}\n\n{"text": "최악"}\n'
    )
    tally = answer_file(
        tuned.model("sentence"), str(tmp_path / "in.jsonl"), tmp_path / "out.jsonl", form="jsonl", tokens=128
    )
    first, second, third = read(tmp_path / "out.jsonl")
    assert (first["id"], first["label"]) == ("\ud800", "좋음")
    assert second == {"row": 2, "id": 5, "error": "text must be a text"}
    assert (third["row"], third["label"]) == (4, "나쁨")
    assert (tally.rows, tally.bad, tally.named) == (3, 1, ["row 2: text must be a text"])


def test_a_killed_run_goes_on_where_it_was(tuned: Tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usable = tuned.model("sentence")
    write(tmp_path / "in.txt", 4000)
    source, part = str(tmp_path / "in.txt"), tmp_path / "out.jsonl.part"
    program = [sys.executable, "-c", KILLED, str(usable.folder), source, str(tmp_path / "out.jsonl")]
    worker = subprocess.Popen(program, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])})
    while worker.poll() is None and not (part.is_file() and part.stat().st_size > 2_000):
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL
    assert not (tmp_path / "out.jsonl").exists()
    with part.open("a") as handle:
        handle.write('{"row": 9999, "lab')  # torn in the middle of a line
    done = part.read_bytes().count(b"\n")
    # The same rows to end with: the rest of the file is left out of the test's time.
    monkeypatch.setattr(file, "ROWS", 1024)
    tally = answer_file(usable, source, tmp_path / "out.jsonl", form="txt", tokens=4096, key="k")
    assert 0 < tally.resumed == done < 4000
    assert [answer["row"] for answer in read(tmp_path / "out.jsonl")] == list(range(1, 4001))


@pytest.mark.parametrize("change", ["input", "model", "nothing"])
def test_only_the_same_work_is_gone_on_with(tuned: Tuned, tmp_path: Path, change: str) -> None:
    usable = tuned.model("sentence")
    write(tmp_path / "in.txt", 6)
    source, output = str(tmp_path / "in.txt"), tmp_path / "out.jsonl"
    answer_file(usable, source, output, form="txt", tokens=128, key="k")
    whole = output.read_text()
    record = {"key": file.work_key(usable, source, "txt", "k")}
    (tmp_path / "out.jsonl.part").write_text('{"row": 1, "label": "kept"}\n')
    (tmp_path / "out.jsonl.part.json").write_text(json.dumps(record))
    if change == "input":
        write(tmp_path / "in.txt", 7)
    tally = answer_file(usable, source, output, form="txt", tokens=128, key="other" if change == "model" else "k")
    assert tally.resumed == (change == "nothing")
    assert (read(output)[0]["label"] == "kept") == (change == "nothing")
    assert tally.rows == (7 if change == "input" else 6)
    assert output.read_text().splitlines()[1:6] == whole.splitlines()[1:6] or change == "input"
