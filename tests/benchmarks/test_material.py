"""What a sweep draws is what fine-tuning would draw, though no other row is tokenised."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from korbert import tasks
from korbert.benchmarks.batches import EncodedRows
from korbert.benchmarks.material import Draw, read_drawn, read_material
from korbert.benchmarks.tokens import InputTokenizer, load_tokenizer

WORDS = ["영화", "정말", "좋다", "배우", "최고", "지루", "하다", "다시", "보고", "싶다"]
DRAW = Draw(training=13, seed=5, validation=4)


@pytest.fixture(scope="module")
def tokenizer(encoder: Path) -> InputTokenizer:
    return load_tokenizer(encoder)


def text(number: int) -> str:
    return " ".join(np.random.default_rng(number).choice(WORDS, 3 + number % 4))


def nsmc_files(folder: Path) -> None:
    rows = [f"{n}\t{text(n)}\t{n % 2}" for n in range(60)]
    (folder / "ratings_train.txt").write_text("\n".join(["id\tdocument\tlabel", *rows]), encoding="utf-8")


def own_files(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "test.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def korsts_files(folder: Path) -> None:
    rows = [f"g\tf\ty\t{n}\t{n % 50 / 10}\t{text(n)}\t{text(n + 1)}" for n in range(100)]
    for name in ("sts-train.tsv", "sts-dev.tsv"):
        head = "genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2"
        (folder / name).write_text("\n".join([head, *rows]), encoding="utf-8")


def pair_files(folder: Path) -> None:
    own_files(folder, [{"text": text(n), "text2": text(n + 1), "label": "ab"[n % 2]} for n in range(60)])


def tags_files(folder: Path) -> None:
    rows = []
    for n in range(60):
        words = text(n).split()
        rows.append({"words": words, "tags": [("O", "B-PER")[(n + i) % 2] for i in range(len(words))]})
    own_files(folder, rows)


def same(one: EncodedRows, other: EncodedRows) -> bool:
    return all(np.array_equal(value, vars(other)[name]) for name, value in vars(one).items())


@pytest.mark.parametrize(
    ("name", "write"),
    [("nsmc", nsmc_files), ("korsts", korsts_files), ("pair", pair_files), ("tags", tags_files)],
    ids=["one text", "score", "pair", "words"],
)
def test_the_drawn_rows_are_those_of_the_whole_material(
    name: str, write: Any, tokenizer: InputTokenizer, tmp_path: Path
) -> None:
    write(tmp_path)
    task = tasks.task(name).at(tmp_path)
    whole, _ = read_material(task, tmp_path, tokenizer, max_tokens=16, validation=0.2)
    training, validation = read_drawn(task, tmp_path, tokenizer, DRAW, max_tokens=16, validation=0.2)
    assert (len(training), len(validation)) == (13, 4)
    assert type(training) is type(whole.rows)
    assert same(training, whole.training_rows(DRAW.training, DRAW.seed))
    assert same(validation, whole.validation_rows(DRAW.validation))


def test_a_draw_of_none_in_particular_is_all(tokenizer: InputTokenizer, tmp_path: Path) -> None:
    nsmc_files(tmp_path)
    task = tasks.task("nsmc")
    training, validation = read_drawn(task, tmp_path, tokenizer, Draw(0, 1, 0), max_tokens=16, validation=0.2)
    assert (len(training), len(validation)) == (48, 12)
