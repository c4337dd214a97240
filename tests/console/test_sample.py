"""What `korbert data inspect` prints."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tokenizers import Tokenizer, models

from korbert.__main__ import main
from korbert.chain import Workspace
from korbert.config import Config, DataConfig
from korbert.console.sample import print_sample
from korbert.corpus.documents import Document, shard_name
from korbert.data.inspect import KEPT, MASKED, RANDOM, SPECIAL, TEXT, ShownSample, ShownToken
from korbert.data.shard_writer import write_store
from korbert.data.shards import HELD_OUT, Sentence
from korbert.data.shards import Special as SpecialIds
from korbert.storage import Plan, publishing, write_jsonl

SAMPLE = ShownSample(
    number=7, epoch=2, document=3, swapped=1,
    tokens=[
        ShownToken("[CLS]", "[CLS]", SPECIAL, 0, False, False),
        ShownToken("정부", "정부", TEXT, 0, True, False),
        ShownToken("[MASK]", "는", MASKED, 0, False, False),
        ShownToken("말", "말", TEXT, 0, True, False),
        ShownToken("나무", "했다", RANDOM, 0, False, True),
        ShownToken("[SEP]", "[SEP]", SPECIAL, 0, False, False),
        ShownToken("국회", "국회", KEPT, 1, True, False),
        ShownToken("\x1b[2J", "\x1b[2J", TEXT, 1, False, True),
        ShownToken("[SEP]", "[SEP]", SPECIAL, 1, False, False),
    ],
)  # fmt: skip
DOCUMENT = Document("a1", "2016-01-02", "한빛뉴스", "", "제목\x1b[31m", [])


def printed(**settings: object) -> str:
    output = io.StringIO()
    print_sample(Console(file=output, **settings), SAMPLE, DOCUMENT, 1234)  # type: ignore[arg-type]
    return output.getvalue()


def test_without_a_terminal_the_marks_say_all() -> None:
    assert printed().splitlines() == [
        "sample 7 in epoch 2",
        "  document  3 of 1,234: a1, 2016-01-02, 제목�[31m",
        "  tokens    6 of text and 3 special; 3 words, 2 sentence ends",
        "  predicted 3 (50.0%): 1 [MASK], 1 random, 1 kept",
        "  order     label 1: A is the later part, B the earlier one",
        "  A [CLS] 정부[MASK:는] 말[random 나무:했다]¶ [SEP]",
        "  B [kept:국회]�[2J¶ [SEP]",
    ]


def test_morphemes_are_counted_and_barred_off_where_they_are_known() -> None:
    output = io.StringIO()
    tokens = [replace(t, starts_morpheme=t.fate != SPECIAL and t.text != "[MASK]") for t in SAMPLE.tokens]
    print_sample(Console(file=output), replace(SAMPLE, tokens=tokens), DOCUMENT, 1234)
    lines = output.getvalue().splitlines()
    assert "; 3 words, 5 morphemes, 2 sentence ends" in lines[2]
    assert lines[5:] == ["  A [CLS] 정부[MASK:는] 말|[random 나무:했다]¶ [SEP]", "  B [kept:국회]|�[2J¶ [SEP]"]


def test_on_a_terminal_the_segments_and_the_fates_have_colours_of_their_own() -> None:
    output = printed(force_terminal=True, color_system="standard", width=200)
    found = re.findall(r"\x1b\[([\d;]+)m([^\x1b]+)\x1b\[0m", output)
    styles = {text.strip(): style for style, text in found}
    assert "36" in styles["정부"].split(";")
    assert "33" in styles["�[2J"].split(";")
    assert len({styles[text] for text in ("정부", "[MASK:는]", "[random 나무:했다]", "[kept:국회]", "¶")}) == 5
    assert "\x1b[2J" not in output


def make_run(root: Path, *, held_out: bool) -> Path:
    """A workspace with forty documents of known words."""
    workspace, config = Workspace(root), Config(recipe="test", data=DataConfig(max_tokens=16))
    workspace.save(config)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"낱말{n}" for n in range(45))]
    documents = [[Sentence(np.full(6, 5 + n, np.uint16), np.ones(6, np.bool_))] * 2 for n in range(40)]
    record = {"date": "2016-01-02", "press": "", "section": "", "sentences": []}
    with publishing(Plan("corpus", workspace.path("corpus"), 1, {}, {})) as draft:
        for kind in (False, True):
            titled = [record | {"id": f"a{n}", "title": f"제목 {n} {kind}"} for n in range(40)]
            write_jsonl(draft.path / shard_name(0, held_out=kind), titled)
    with publishing(Plan("tokenizer", workspace.path("tokenizer"), 1, {}, {})) as draft:
        model = models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]")
        Tokenizer(model).save(str(draft.path / "tokenizer.json"))
    with publishing(Plan("tokens", workspace.path("tokens"), 1, {}, {})) as draft:
        special, size = SpecialIds(0, 1, 2, 3, 4), len(pieces)
        write_store(draft.path, documents, vocab_size=size, special=special, shard_tokens=50)
        if held_out:
            (draft.path / HELD_OUT).mkdir()
            write_store(draft.path / HELD_OUT, documents[-2:], vocab_size=size, special=special, shard_tokens=50)
    return root


def test_the_command_names_the_document_that_the_tokens_are_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_run(tmp_path, held_out=True)
    assert main(["data", "inspect", str(root)]) == 0
    output = capsys.readouterr().out
    assert output.count("  order     label ") == 3
    titles = re.findall(r"제목 (\d+) False", output)
    texts = re.findall(r"^  [AB] .*?낱말(\d+)", output, re.MULTILINE)
    assert set(titles) <= set(texts)
    assert len(titles) == 3
    assert "[MASK:was]" in output
    assert "\x1b" not in output
    assert main(["data", "inspect", str(root), "--seed", "1"]) == 0
    assert capsys.readouterr().out != output


def test_one_sample_is_the_same_each_time_and_another_in_another_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_run(tmp_path, held_out=True)
    shown = []
    for epoch in ("0", "0", "1"):
        assert main(["data", "inspect", str(root), "--sample", "1", "--epoch", epoch, "--held-out"]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != shown[2]
    assert "of 2: a1, 2016-01-02, 제목 1 True" in shown[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sample", "4000"], "--sample 4000: must be 0 to"),
        (["--epoch", "-3"], "--epoch -3: must be 0 or more"),
        (["--held-out"], "has no held-out documents"),
    ],
)
def test_a_users_mistake_is_one_line(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_run(tmp_path, held_out=False)
    assert main(["data", "inspect", str(root), *arguments]) == 2
    assert message in capsys.readouterr().err
