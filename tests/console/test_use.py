"""`korbert predict` and `fill-mask` print what a model answers; a mistake is one line and exit code 2."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoConfig, AutoTokenizer

from korbert.__main__ import main
from korbert.benchmarks.classifier import HEADS, quiet
from korbert.use.marking import with_entities


@pytest.fixture(scope="module")
def folder(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model of each kind, not trained: what is printed is looked at, not whether it is right."""
    quiet()
    made = {}
    for head, labels in (("sentence", ["bad", "good"]), ("words", ["O", "PER-B", "PER-I"]), ("span", ["a", "b"])):
        place = tmp_path_factory.mktemp(head)
        config = AutoConfig.from_pretrained(encoder, id2label=dict(enumerate(labels)), initializer_range=0.5)
        torch.manual_seed(3)
        HEADS[head].from_config(config).save_pretrained(place)
        AutoTokenizer.from_pretrained(encoder).save_pretrained(place)
        made[head] = place
    return made


def said(capsys: pytest.CaptureFixture[str], *words: object) -> list[str]:
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out.splitlines()


def test_texts_get_a_label_and_its_probability(folder: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "predict", folder["sentence"], "영화 최고", "영화 최악")
    for line, text in zip(lines, ("영화 최고", "영화 최악"), strict=True):
        label, probability, rest = line.split("  ")
        assert label in ("bad", "good")
        assert 0.5 <= float(probability) <= 1
        assert rest == text


def test_json_holds_what_is_printed(folder: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    [line] = said(capsys, "predict", folder["sentence"], "영화", "최고", "--pair")
    assert line.endswith("영화 | 최고")
    [text] = said(capsys, "predict", folder["sentence"], "영화", "최고", "--pair", "--json")
    found = json.loads(text)
    assert f"{found['label']}  {found['probability']:.4f}  영화 | 최고" == line


def test_options_may_stand_anywhere_among_the_texts(
    folder: dict[str, Path], encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = said(capsys, "predict", folder["sentence"], "영화", "최고", "--max-tokens", "16")
    assert said(capsys, "predict", folder["sentence"], "--max-tokens", "16", "영화", "최고") == plain
    assert said(capsys, "predict", folder["sentence"], "영화", "--max-tokens", "16", "최고") == plain
    assert len(said(capsys, "fill-mask", encoder, "--top", "2", "영화 [MASK]")) == 2
    assert main(["predict", str(folder["sentence"]), "영화", "--jsn"]) == 2
    assert "unrecognized arguments: --jsn" in capsys.readouterr().err


def test_entities_are_marked_and_listed(folder: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    text = "영화 최고 배우 감동 결말 최악"
    [raw] = said(capsys, "predict", folder["words"], text, "--json")
    found = json.loads(raw)["entities"]
    lines = said(capsys, "predict", folder["words"], text)
    assert found, "the drawn model tags at least one word"
    assert lines[0] == with_entities(text, found)
    assert [line.split("  ")[1:3] for line in lines[1:]] == [[one["type"], one["text"]] for one in found]


def test_a_question_is_asked_of_a_file(
    folder: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "passage.txt").write_text("영화 최고 배우\n감동 결말 최악", encoding="utf-8")
    asked = ("--question", "무엇?", "--context", tmp_path / "passage.txt")
    answer, place = said(capsys, "predict", folder["span"], *asked)
    [raw] = said(capsys, "predict", folder["span"], *asked, "--json")
    assert answer.split("  ")[0].split() == json.loads(raw)["answer"].split()
    assert "[" in place


def test_a_file_is_answered_into_a_file_or_printed(
    folder: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "영화"}\n{"txt": ""}\n', encoding="utf-8")
    output = tmp_path / "deep" / "out.jsonl"
    assert (
        main(["predict", str(folder["sentence"]), "--input", str(tmp_path / "in.jsonl"), "--output", str(output)]) == 0
    )
    told = capsys.readouterr().err
    assert "2 rows, 1 of them without an answer" in told
    assert "row 2: has no field text" in told
    printed = said(capsys, "predict", folder["sentence"], "--input", tmp_path / "in.jsonl")
    assert printed == output.read_text().splitlines()


def test_a_file_without_one_good_row_ends_with_2(
    folder: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.jsonl").write_text("no json\n" * 9)
    assert main(["predict", str(folder["sentence"]), "--input", str(tmp_path / "in.jsonl")]) == 2
    assert "and 4 more; each has its line with an error" in capsys.readouterr().err


def test_standard_input_is_answered_line_by_line(
    folder: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO("영화\n최고\n".encode())))
    found = [json.loads(line) for line in said(capsys, "predict", folder["sentence"], "--input", "-")]
    assert [answer["row"] for answer in found] == [1, 2]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["predict", "MODEL"], "give one of TEXT, --question with --context, or --input"),
        (["predict", "MODEL", "가", "--input", "x.txt"], "give one of"),
        (["predict", "MODEL", "가", "--pair"], "1 texts are no pairs"),
        (["predict", "MODEL", "--question", "가"], "go together"),
        (["predict", "MODEL", "--question", "가", "--context", "x"], "answers no questions"),
        (["predict", "MODEL", "가", "--output", "x.jsonl"], "goes with --input"),
        (["predict", "MODEL", "가", "--batch-tokens", "0"], "must be 1 or more"),
        (["predict", "MODEL", "--input", "x.csv"], "add --format"),
        (["predict", "MODEL", "--input", "x.txt"], "x.txt: "),
        (["predict", "MODEL", "--input", "x.txt", "--output", "x.csv"], "end in .jsonl"),
        (["predict", "MODEL", "가\udcff"], "half a character"),
        (["predict", "nowhere", "가"], "holds no model"),
        (["predict", "MODEL", "가", "나", "--pair", "--task", "nsmc", "--max-tokens", "16"], "asks for one"),
        (["fill-mask", "MODEL"], "give a TEXT with [MASK]"),
        (["fill-mask", "MODEL", "가 [MASK]"], "has no masked-token head"),
        (["fill-mask", "nowhere", "가"], "no such folder"),
        (["fill-mask", "MODEL", "가", "--top", "0"], "must be 1 or more"),
        (["serve", "nowhere"], "holds no model"),
        (["serve", "MODEL", "--port", "70000"], "must be 0 to 65535"),
        (["serve", "MODEL", "--timeout", "0"], "must be more than 0"),
        (["serve", "a=MODEL", "a=MODEL"], "a is the name of another model"),
        (["export-onnx", "MODEL", "x.bin"], "must end in .onnx"),
    ],
)
def test_a_mistake_is_one_line(
    folder: dict[str, Path], words: list[str], told: str, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([word.replace("MODEL", str(folder["sentence"])) for word in words]) == 2
    line = capsys.readouterr().err
    assert told in line
    assert line.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_masks_are_filled_and_the_order_is_told(encoder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "fill-mask", encoder, "영화 [MASK] 최고", "--top", "3", "--sop", "영화", "최고")
    assert len(lines) == 4
    assert [line.split("  ")[0] for line in lines[:3]] == ["1", "1", "1"]
    assert lines[3].startswith("in order: 0.")
