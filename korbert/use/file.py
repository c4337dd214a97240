"""Answers to a whole file: an object a row in the file's order, written as they come and published when all are there.

Every line gets a line: {"row": number, "id"?, answer...}, or {"row", "id"?, "error": why}. Until the last one they
stand in OUTPUT.part, beside OUTPUT.part.json, which says of what: the same command goes on where a killed one was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from korbert.errors import UsageError
from korbert.progress import meter
from korbert.storage import digest_file, digest_of, read_json, write_json
from korbert.use.answers import answered
from korbert.use.lines import STDIN, Line, count_lines, read_lines
from korbert.use.loading import Usable

TOGETHER = {"span": 64}
"""Rows that are encoded, sorted by length and written together; by head, for windows take much memory."""
ROWS = 2048
NAMED = 5
"""Bad rows that are named; all are counted, and have their line."""
FIELDS = frozenset({"row", "id", "error"})


@dataclass
class Tally:
    """What became of the rows."""

    rows: int = 0
    bad: int = 0
    cut: int = 0
    """Rows longer than the model takes; those of an attempt before this one are not among them."""
    resumed: int = 0
    """Rows that an attempt before this one has answered."""
    named: list[str] = field(default_factory=list)
    """The first bad rows and what is wrong with each."""

    def add(self, number: int, why: str) -> None:
        """Counts a row; `why` is empty where nothing is wrong with it."""
        self.rows += 1
        self.bad += bool(why)
        if why and len(self.named) < NAMED:
            self.named.append(f"row {number}: {why}")


def answer_file(usable: Usable, source: str, output: Path, *, form: str, tokens: int, key: str = "") -> Tally:
    """Writes the answers to `source` to `output`, which appears whole.

    Args:
        usable: The model.
        source: A file, or STDIN, which cannot be resumed.
        output: JSON Lines.
        form: One of FORMATS.
        tokens: Of a batch at most.
        key: Digest of what else the answers depend on (the model's files).

    Raises:
        UsageError: when the source cannot be read.
        OSError: when the disk fails or is full; what is written stays and is gone on with.
    """
    part, record = output.with_name(f"{output.name}.part"), output.with_name(f"{output.name}.part.json")
    tally = Tally()
    whole = "" if source == STDIN else work_key(usable, source, form, key)
    if whole and record.is_file() and part.is_file() and read_json(record) == {"key": whole}:
        _take_up(part, tally)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"")
        write_json(record, {"key": whole})
    lines = islice(read_lines(source, form, usable.shape), tally.rows, None)
    total = 0 if source == STDIN else count_lines(source)
    with part.open("a", encoding="utf-8") as handle, meter("rows", total, done=tally.rows) as progress:
        for answers in _answers(usable, lines, tokens, tally):
            _write(handle, answers)
            progress.advance(len(answers))
        os.fsync(handle.fileno())
    part.replace(output)
    record.unlink()
    return tally


def work_key(usable: Usable, source: str, form: str, key: str) -> str:
    """Digest of all that the answers to a file depend on."""
    return digest_of([digest_file(Path(source)), form, usable.task, usable.max_tokens, key])


def answer_stream(usable: Usable, source: str, output: IO[str], *, form: str, tokens: int, together: int = 0) -> Tally:
    """As `answer_file`, to a stream that is open, `together` rows at a time (0: as many as suit)."""
    tally = Tally()
    for answers in _answers(usable, read_lines(source, form, usable.shape), tokens, tally, together):
        _write(output, answers)
    return tally


def _answers(
    usable: Usable, lines: Iterator[Line], tokens: int, tally: Tally, together: int = 0
) -> Iterator[list[dict[str, Any]]]:
    most = together or TOGETHER.get(usable.head, ROWS)
    while some := list(islice(lines, most)):
        good = [line.row for line in some if line.row is not None]
        found, cut = answered(usable, good, tokens)
        tally.cut += cut
        rest = iter(found)
        answers = []
        for line in some:
            tally.add(line.number, line.why)
            named = {} if line.name is None else {"id": line.name}
            answers.append({"row": line.number} | named | ({"error": line.why} if line.row is None else next(rest)))
        yield answers


def _write(handle: IO[str], answers: list[dict[str, Any]]) -> None:
    # A lone surrogate in an id is written as its escape: UTF-8 has no place for it.
    for answer in answers:
        text = json.dumps(answer, ensure_ascii=False)
        handle.write((text if _encodable(text) else json.dumps(answer)) + "\n")
    handle.flush()


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _take_up(part: Path, tally: Tally) -> None:
    """Counts the whole lines of a killed attempt and cuts off a torn one."""
    end = 0
    with part.open("rb") as handle:
        for raw in handle:
            if not raw.endswith(b"\n"):
                break
            end += len(raw)
            try:
                found = json.loads(raw)
            except ValueError as error:
                raise UsageError(f"{part}: holds a damaged line; remove the file and run again") from error
            tally.add(found["row"], found.get("error", ""))
    tally.resumed = tally.rows
    with part.open("ab") as handle:
        handle.truncate(end)
