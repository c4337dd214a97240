"""Stage `finetune` on entities: learns them, judges epochs by F1, scores any encoder's folder outside a workspace."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from korbert import chain, storage, tasks
from korbert.__main__ import main
from korbert.benchmarks import finetune
from korbert.benchmarks.classifier import load_classifier, predicted
from korbert.benchmarks.entities import compared
from korbert.benchmarks.material import read_material
from korbert.benchmarks.metrics import found_entities
from korbert.benchmarks.split import held_out_of
from korbert.benchmarks.tokens import load_tokenizer
from korbert.chain import Workspace
from korbert.config import Config
from korbert.errors import UsageError
from korbert.tasks import kmou_ner, ner

SENTENCE = "; 감동은 좋다\n$<감동:PS>은 좋다\n1\t감동\tNNP\tB_PS\n1\t은\tJX\tO\n2\t좋\tVA\tO\n2\t다\tEF\tO\n\n"


@pytest.fixture
def recognition(config: Config, toy_sentences: Path) -> Config:
    section = replace(config.finetune, task="ner", data=str(toy_sentences), seeds=(1,), epochs=3, lr=1e-2)
    return replace(config, finetune=section)


def test_entities_that_can_be_learned_are_learned_and_published(recognition: Config, workspace: Workspace) -> None:
    manifest = finetune.run(recognition, workspace)
    scores = storage.read_json(workspace.path("finetune") / "scores.json")
    assert (scores["task"], scores["metric"], scores["remark"]) == ("ner", "entity_f1", "")
    assert (scores["n_train"], scores["n_validation"], scores["n_test"]) == (360, 40, 100)
    assert scores["mean"] > 0.9
    assert manifest.counts["entity_f1"] == scores["mean"]
    assert manifest.counts["test_words"] > 200
    assert manifest.counts["test_words_cut"] == 0
    kept = [e for e in storage.read_jsonl(workspace.path("finetune") / "predictions.jsonl") if e["split"] == "test"]
    found = compared([entry["gold"] for entry in kept], [entry["predicted"] for entry in kept])
    assert found.f1 == scores["mean"]
    assert all(len(entry["text"].split()) == len(entry["gold"]) for entry in kept)


def test_the_published_model_answers_as_scored(recognition: Config, workspace: Workspace, toy_sentences: Path) -> None:
    finetune.run(recognition, workspace)
    folder = workspace.path("finetune") / "model"
    (seed,) = storage.read_json(workspace.path("finetune") / "scores.json")["seeds"]
    material, _ = read_material(tasks.task("ner"), toy_sentences, load_tokenizer(folder), max_tokens=32, validation=0.1)
    rows = material.validation_rows(0)
    answers = predicted(load_classifier(folder, ner.LABELS, 0.0, 1, "words"), rows, 0)
    assert found_entities(answers, rows, ner.LABELS).f1 == max(seed["validation"])


def test_what_is_cut_is_missed_and_lowers_the_score(recognition: Config, workspace: Workspace) -> None:
    short = replace(recognition, finetune=replace(recognition.finetune, max_tokens=8))
    manifest = finetune.run(short, workspace)
    assert manifest.counts["test_words_cut"] > 100
    assert manifest.counts["entity_f1"] < 0.8


def test_a_limit_draws_training_sentences_and_the_held_out_ones_in_proportion(
    recognition: Config, workspace: Workspace
) -> None:
    few = replace(recognition, finetune=replace(recognition.finetune, train_limit=100, epochs=1))
    benchmark = finetune.read_benchmark(few, workspace.path("export"))
    assert (benchmark.trained_on, len(benchmark.validation), len(benchmark.test)) == (100, 10, 100)


def test_held_out_sentences_are_the_same_for_everybody_and_none_is_lost() -> None:
    training, held = held_out_of(50, 0.1)
    assert (len(training), len(held)) == (45, 5)
    assert sorted([*training, *held]) == list(range(50))
    assert held.tolist() == held_out_of(50, 0.1)[1].tolist() != list(range(45, 50))
    with pytest.raises(UsageError, match="there is 1; give at least one"):
        held_out_of(1, 0.1)


def test_a_task_with_a_file_to_choose_by_holds_none_out(config: Config, workspace: Workspace, tmp_path: Path) -> None:
    for name, count in ((kmou_ner.TRAIN, 30), (kmou_ner.VALIDATION, 7), (kmou_ner.TEST, 5)):
        (tmp_path / name).write_text(SENTENCE * count, encoding="utf-8")
    section = replace(config.finetune, task="kmou-ner", data=str(tmp_path), seeds=(1,), epochs=1, train_limit=20)
    manifest = finetune.run(replace(config, finetune=section), workspace)
    scores = storage.read_json(workspace.path("finetune") / "scores.json")
    assert (scores["n_train"], scores["n_validation"], scores["n_test"]) == (20, 7, 5)
    assert scores["majority_baseline"] == 1.0
    assert "stand-in" in scores["remark"]
    assert "non-commercial" in scores["licence"]
    assert manifest.counts["merged_entities"] == 0


@pytest.mark.parametrize("name", [ner.TRAIN, ner.TEST])
def test_a_bad_row_is_refused_before_anything_is_written(
    recognition: Config, workspace: Workspace, toy_sentences: Path, tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(toy_sentences, tmp_path / "copy"))
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write("영화\tPER-X\n")
    with pytest.raises(UsageError, match=rf"{name} row \d+: tag 'PER-X'"):
        finetune.run(replace(recognition, finetune=replace(recognition.finetune, data=str(folder))), workspace)
    assert not workspace.path("finetune").exists()


def test_another_task_or_changed_files_make_the_scores_stale(
    recognition: Config, config: Config, workspace: Workspace, tmp_path: Path, toy_sentences: Path
) -> None:
    folder = Path(shutil.copytree(toy_sentences, tmp_path / "copy"))
    here = replace(recognition, finetune=replace(recognition.finetune, data=str(folder), epochs=1))
    finetune.run(here, workspace)
    assert chain.state(here, workspace, "finetune").state == "fresh"
    assert chain.state(config, workspace, "finetune").state == "stale"
    with (folder / ner.TEST).open("a", encoding="utf-8") as file:
        file.write("영화\tO\n")
    assert chain.state(here, workspace, "finetune").why == "ner has changed"


def test_a_folder_outside_a_workspace_scores_as_the_same_folder_in_one(
    recognition: Config, workspace: Workspace, encoder: Path, tmp_path: Path
) -> None:
    finetune.run(recognition, workspace)
    inside = storage.read_json(workspace.path("finetune") / "scores.json")
    outside = finetune.score(recognition, encoder, tmp_path / "scores")
    assert [seed["test"] for seed in outside["seeds"]] == [seed["test"] for seed in inside["seeds"]]
    assert outside["mean"] == inside["mean"]
    before = (tmp_path / "scores" / "manifest.json").read_bytes()
    assert finetune.score(recognition, encoder, tmp_path / "scores") == outside
    assert (tmp_path / "scores" / "manifest.json").read_bytes() == before


def test_the_command_scores_a_folder_and_says_so_in_a_line(
    encoder: Path, toy_sentences: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["finetune.seeds=1,2", "finetune.epochs=1", "finetune.lr=1e-2", "finetune.max_tokens=32"]
    options = [word for setting in settings for word in ("--set", setting)]
    command = ["finetune", str(encoder), "ner", "--data", str(toy_sentences), *options, "--output", str(tmp_path / "s")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert said.startswith("ner entity_f1: 0.")
    assert "over 2 seeds (test rows 100, giving each word its commonest tag in training " in said
    assert storage.read_manifest(tmp_path / "s") is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "ner", "--data", "."], "nowhere: there is no such folder"),
        ([".", "squad", "--data", "."], "finetune.task = 'squad': must be one of: klue-mrc, klue-ner, klue-nli"),
        ([".", "ner"], "finetune.data = '': must name the folder with the files of task ner"),
        ([".", "nsmc"], "no config.json in it"),
    ],
)
def test_the_commands_mistakes_are_answered_in_a_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["finetune", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
