"""Stage `finetune` on questions: learns what can be learned, keeps its answers, survives `kill -9`."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import korbert
from korbert import storage, tasks
from korbert.__main__ import main
from korbert.benchmarks import errors, finetune
from korbert.benchmarks.answers import average, exact_match, f1
from korbert.benchmarks.blocks import Table
from korbert.benchmarks.material import read_material
from korbert.benchmarks.metrics import beginnings
from korbert.benchmarks.scored import read_scores
from korbert.benchmarks.spans import SpanRows
from korbert.benchmarks.tokens import load_tokenizer
from korbert.benchmarks.windows import Limits
from korbert.chain import Workspace
from korbert.config import Config
from korbert.tasks import span
from korbert.tasks.squad import Answer, Questions

FILLER = ("영화", "배우", "연출", "음악", "결말", "정말", "그냥", "다시")
PRAISE = ("재미있다", "감동", "최고")
DRIVER = """
import sys
from pathlib import Path
from korbert.benchmarks import finetune
from korbert.chain import Workspace
workspace = Workspace(Path(sys.argv[1]))
finetune.run(workspace.load(), workspace)
"""


def write_questions(path: Path, contexts: int, seed: int) -> None:
    """Two questions a context, both for the only word of praise in it; a context has one or two windows."""
    draw = random.Random(seed)
    paragraphs = []
    for number in range(contexts):
        words = draw.choices(FILLER, k=draw.randint(4, 14))
        place, praise = draw.randrange(len(words)), draw.choice(PRAISE)
        words[place] = praise
        answers = [{"text": praise, "answer_start": sum(len(word) + 1 for word in words[:place])}]
        qas = [{"id": f"{seed}-{number}-{n}", "question": "칭찬" + "은" * n + "?", "answers": answers} for n in (0, 1)]
        paragraphs.append({"context": " ".join(words), "qas": qas})
    path.write_text(json.dumps({"data": [{"title": "평", "paragraphs": paragraphs}]}), encoding="utf-8")


@pytest.fixture(scope="module")
def toy_questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learnable set: 160 training and 40 test questions."""
    folder = tmp_path_factory.mktemp("questions")
    write_questions(folder / "train.json", 80, seed=1)
    write_questions(folder / "test.json", 20, seed=2)
    return folder


@pytest.fixture
def asking(config: Config, toy_questions: Path) -> Config:
    section = replace(
        config.finetune, task="span", data=str(toy_questions), seeds=(1,), epochs=2, lr=1e-2, batch=16,
        max_tokens=32, stride=12, answer_tokens=8,
    )  # fmt: skip
    return replace(config, finetune=section)


def kept_of(workspace: Workspace, split: str = "test") -> list[dict[str, Any]]:
    found = storage.read_jsonl(workspace.path("finetune") / "predictions.jsonl")
    return [entry for entry in found if entry["split"] == split]


def scores_of(workspace: Workspace) -> dict[str, Any]:
    return storage.read_json(workspace.path("finetune") / "scores.json")  # type: ignore[no-any-return]


def test_what_can_be_learned_is_learned_and_every_answer_is_kept(asking: Config, workspace: Workspace) -> None:
    manifest = finetune.run(asking, workspace)
    scores = scores_of(workspace)
    assert (scores["task"], scores["metric"], scores["n_train"], scores["n_test"]) == ("span", "f1", 144, 40)
    assert scores["n_validation"] == 16
    assert scores["mean"] > 0.8 > scores["majority_baseline"]
    assert scores["also"]["exact_match"]["mean"] <= scores["mean"]
    assert manifest.counts["f1"] == scores["mean"]
    assert manifest.counts["test_windows"] > 40
    kept = kept_of(workspace)
    assert [entry["id"] for entry in kept] == [f"2-{number}-{n}" for number in range(20) for n in (0, 1)]
    texts, rights = [entry["answer"] for entry in kept], [entry["right"] for entry in kept]
    assert average(f1, texts, rights) == scores["mean"]
    assert average(exact_match, texts, rights) == scores["also"]["exact_match"]["mean"]
    assert all(entry["best"][0]["text"] == entry["answer"] for entry in kept)
    assert sum(group["questions"] for group in scores["seeds"][0]["by_question_length"]) == 40
    (scored,) = read_scores([str(workspace.path("finetune"))])
    kinds, lengths = [block for block in errors.blocks(scored, 3, "validation") if isinstance(block, Table)]
    assert kinds.rows[0][1].value == round(40 * scores["also"]["exact_match"]["mean"])
    assert sum(row[1].value or 0 for row in lengths.rows) == 40


def test_no_context_is_trained_on_and_chosen_by(encoder: Path, toy_questions: Path) -> None:
    material, _ = read_material(
        tasks.task("span"), toy_questions, load_tokenizer(encoder), max_tokens=32, validation=0.1, limits=Limits(12, 8)
    )
    training, validation = material.training_rows(0, 1), material.validation_rows(0)
    assert isinstance(training, SpanRows)
    assert isinstance(validation, SpanRows)
    assert training.items + validation.items == 160
    assert not {q.context for q in training.questions} & {q.context for q in validation.questions}
    limited = material.training_rows(10, 1)
    assert limited.items == 10
    assert len(limited) >= 10


def test_the_baseline_is_the_contexts_beginning_as_long_as_the_median_answer(toy_questions: Path) -> None:
    train, test = span.TASK.train(toy_questions), span.TASK.test(toy_questions)
    assert isinstance(train, Questions)
    assert isinstance(test, Questions)
    shortened = replace(train, answers=[(Answer("가나다", 0, 3),)] * 2 + [(Answer("가", 0, 1),)])
    assert beginnings(shortened, test) == [context[:3] for context in test.contexts]
    assert beginnings(replace(train, answers=[()]), test) == [""] * len(test.texts)


def test_after_kill_9_the_finished_seed_and_its_answers_are_kept(asking: Config, workspace: Workspace) -> None:
    long = replace(asking, finetune=replace(asking.finetune, epochs=1, seeds=(1, 2, 3), train_limit=40))
    workspace.save(long)
    record = workspace.path("finetune") / "seeds" / "1.json"
    environment = os.environ | {"PYTHONPATH": str(Path(korbert.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(workspace.root)], env=environment)
    while not record.exists():
        assert driver.poll() is None
        time.sleep(0.01)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    before = (record.stat().st_mtime_ns, record.read_bytes())
    finetune.run(long, workspace)
    assert (record.stat().st_mtime_ns, record.read_bytes()) == before
    scores = scores_of(workspace)
    best = max(scores["seeds"], key=lambda seed: max(seed["validation"]))
    kept = kept_of(workspace)
    assert average(f1, [entry["answer"] for entry in kept], [entry["right"] for entry in kept]) == best["test"]
    assert not (workspace.path("finetune") / "model" / "predictions.jsonl").exists()


def test_the_command_scores_any_encoder_on_questions(
    encoder: Path, toy_questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["seeds=1", "epochs=1", "train_limit=20", "max_tokens=32", "stride=12", "batch=8"]
    assert main(
        ["finetune", str(encoder), "span", "--data", str(toy_questions), "--output", str(tmp_path / "scores")]
        + [part for setting in settings for part in ("--set", f"finetune.{setting}")]
    ) == 0  # fmt: skip
    assert "span f1: " in capsys.readouterr().out
    assert (tmp_path / "scores" / "predictions.jsonl").is_file()
