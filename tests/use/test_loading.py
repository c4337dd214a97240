"""A model is loaded from its artefact, its folder or its run; what a folder does not tell is asked for."""

import json
import shutil
from pathlib import Path

import pytest

from korbert.errors import UsageError
from korbert.use.loading import load, suffixed

from .conftest import Tuned


def test_an_artefact_its_model_and_its_run_are_the_same_model(tuned: Tuned, tmp_path: Path) -> None:
    artefact = tuned.artefact("klue-ner")
    shutil.copytree(artefact, tmp_path / "run" / "finetune")
    found = [load(place) for place in (artefact, artefact / "model", tmp_path / "run")]
    assert {(one.head, one.task, one.max_tokens, one.labels[:2]) for one in found} == {
        ("characters", "klue-ner", 32, ("O", "PS-B"))
    }


def test_the_artefact_says_how_a_passage_was_cut(tuned: Tuned) -> None:
    usable = load(tuned.artefact("span"))
    assert (usable.head, usable.limits.stride, usable.limits.answer_tokens, usable.may_lack) == ("span", 8, 30, False)


@pytest.mark.parametrize("name", ["predictions.jsonl", "predictions.json"])
def test_answers_that_were_scored_against_none_make_none_possible(tuned: Tuned, tmp_path: Path, name: str) -> None:
    shutil.copytree(tuned.artefact("span"), tmp_path / "a")
    for old in (tmp_path / "a").glob("predictions.*"):
        old.unlink()
    entry = json.dumps({"answer": "", "no_answer": 1.5})
    (tmp_path / "a" / name).write_text(entry + "\n" if name.endswith("l") else f"[{entry}]")
    assert load(tmp_path / "a").may_lack


@pytest.mark.parametrize(
    ("task", "head"), [("sentence", "sentence"), ("korsts", "score"), ("tags", "words"), ("klue-ner", "characters")]
)
def test_a_bare_folder_tells_its_head_by_class_and_labels(tuned: Tuned, tmp_path: Path, task: str, head: str) -> None:
    shutil.copytree(tuned.artefact(task) / "model", tmp_path / "bare")
    usable = load(tmp_path / "bare")
    assert (usable.head, usable.task, usable.max_tokens) == (head, "", 64)  # 128, and the encoder's positions


def test_a_named_task_settles_what_the_folder_leaves_open(tuned: Tuned, tmp_path: Path) -> None:
    shutil.copytree(tuned.artefact("sentence") / "model", tmp_path / "bare")
    assert load(tmp_path / "bare").shape.paired is None
    assert load(tmp_path / "bare", task="nsmc", max_tokens=16).shape.paired is False
    assert load(tmp_path / "bare", task="paws", max_tokens=16).max_tokens == 16


@pytest.mark.parametrize(
    ("task", "most", "said"),
    [
        ("squad", 0, "--task squad: must be one of"),
        ("ner", 0, "wants head words"),
        ("", 65, "--max-tokens 65: the encoder has 64 positions"),
        ("", 3, "--max-tokens 3: must be 8 or more"),
    ],
)
def test_what_cannot_be_the_models_is_refused(tuned: Tuned, task: str, most: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(tuned.artefact("sentence"), task=task, max_tokens=most)


def test_an_encoder_that_was_not_fine_tuned_is_refused(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BertForPreTraining, which has no head for a task"):
        load(encoder)
    with pytest.raises(UsageError, match="holds no model"):
        load(tmp_path)


def test_weights_that_lack_the_head_are_refused(tuned: Tuned, encoder: Path, tmp_path: Path) -> None:
    shutil.copytree(tuned.artefact("sentence") / "model", tmp_path / "bare")
    shutil.copy(encoder / "model.safetensors", tmp_path / "bare" / "model.safetensors")
    with pytest.raises(UsageError, match="lack classifier"):
        load(tmp_path / "bare")


def test_tags_of_either_spelling_are_named_alike() -> None:
    assert [suffixed(label) for label in ("B-PER", "PER-B", "O", "I-", "positive")] == [
        "PER-B", "PER-B", "O", "I-", "positive",
    ]  # fmt: skip
