"""Masks are filled alike by transformers and by a checkpoint of ours, and the order of two texts is told."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining, AutoTokenizer, BertModel

from korbert.config import ModelConfig
from korbert.errors import UsageError
from korbert.model.build import build
from korbert.training.checkpoint import MODEL, RECORD
from korbert.training.export import write_model
from korbert.use.masks import MASK, load_masked

SHAPES = {
    "bert": ModelConfig(layers=2, hidden=32, heads=2, intermediate=64, max_positions=64, dropout=0.0),
    "albert": ModelConfig(
        layers=2, hidden=32, heads=2, intermediate=64, max_positions=64, dropout=0.0, architecture="albert",
        share_layers=True, embedding=16,
    ),
    "modern": ModelConfig(
        layers=2, hidden=32, heads=2, intermediate=64, max_positions=64, dropout=0.0, architecture="modern"
    ),
}  # fmt: skip
TEXT = f"오늘 {MASK} 영화 {MASK} 최고"


@pytest.fixture(params=sorted(SHAPES))
def run(request: pytest.FixtureRequest, encoder: Path, tmp_path: Path) -> Path:
    """A run of an architecture, not trained: a checkpoint, its export, and the tokenizer."""
    shape, tokenizer = SHAPES[request.param], AutoTokenizer.from_pretrained(encoder)
    torch.manual_seed(1)
    weights: Mapping[str, torch.Tensor] = build(shape, len(tokenizer), tokenizer.pad_token_id).state_dict()
    # Drawn wide: an untrained model's answers would all be alike.
    wide = {
        name: tensor * 8 if tensor.dim() > 1 else tensor + 0.1 * torch.randn_like(tensor)
        for name, tensor in weights.items()
    }
    config = {f"model.{name}": value for name, value in vars(shape).items()} | {"seed": 1}
    checkpoint = tmp_path / "pretrain" / "checkpoints" / "step-00000007"
    checkpoint.mkdir(parents=True)
    save_file({name: tensor.contiguous() for name, tensor in wide.items()}, checkpoint / MODEL)
    (checkpoint / RECORD).write_text(json.dumps({"config": config}))
    write_model(tmp_path / "export", wide, shape)
    for folder in ("tokenizer", "export"):
        tokenizer.save_pretrained(tmp_path / folder)
    return tmp_path


def test_a_checkpoint_fills_masks_as_its_export_does(run: Path) -> None:
    ours = load_masked(run / "pretrain" / "checkpoints" / "step-00000007").fill(TEXT, 3)
    theirs = load_masked(run / "export").fill(TEXT, 3)
    assert [(fill.mask, fill.token) for fill in ours] == [(fill.mask, fill.token) for fill in theirs]
    assert [fill.mask for fill in ours] == [0, 0, 0, 1, 1, 1]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.probability == pytest.approx(other.probability, abs=1e-5)
    assert load_masked(run).fill(TEXT, 3) == theirs


def test_the_probabilities_are_those_of_transformers(run: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(run / "export")
    model = AutoModelForMaskedLM.from_pretrained(run / "export").eval()
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        scores = model(input_ids=ids).logits[0, ids[0] == tokenizer.mask_token_id].double().softmax(-1)
    fills = load_masked(run / "export").fill(TEXT, 2)
    values, tokens = scores.topk(2)
    assert [fill.token for fill in fills] == tokenizer.convert_ids_to_tokens(tokens.flatten().tolist())
    assert [fill.probability for fill in fills] == pytest.approx(values.flatten().tolist(), abs=1e-6)


def test_the_order_of_two_texts_is_told_alike_by_checkpoint_and_export(run: Path) -> None:
    checkpoint = load_masked(run / "pretrain" / "checkpoints" / "step-00000007")
    export = load_masked(run / "export")
    told = checkpoint.in_order("영화 최고", "배우 최악")
    assert 0 < told < 1
    assert export.in_order("영화 최고", "배우 최악") == pytest.approx(told, abs=1e-6)
    assert checkpoint.in_order("배우 최악", "영화 최고") != pytest.approx(told, abs=1e-4)


def test_the_order_head_is_berts_own(encoder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModelForPreTraining.from_pretrained(encoder).eval()
    with torch.no_grad():
        scores = model(**tokenizer("영화 최고", "배우 최악", return_tensors="pt")).seq_relationship_logits[0]
    told = load_masked(encoder).in_order("영화 최고", "배우 최악")
    assert told == pytest.approx(float(scores.double().softmax(-1)[0]), abs=1e-6)


def test_a_filled_text_has_the_word_in_the_masks_place(encoder: Path) -> None:
    fills = load_masked(encoder).fill(f"영화 {MASK} 최고 {MASK}", 4)
    for fill in fills:
        if not fill.token.startswith(("##", "[")):
            wanted = f"영화 {fill.token} 최고 {MASK}" if fill.mask == 0 else f"영화 {MASK} 최고 {fill.token}"
            assert fill.text == wanted
    joined = load_masked(encoder)._filled(["영화 ", " 최고"], 0, _piece(encoder))
    assert joined.startswith("영화")
    assert not joined.startswith("영화 ")


def _piece(encoder: Path) -> int:
    vocabulary = AutoTokenizer.from_pretrained(encoder).get_vocab()
    return next(number for token, number in vocabulary.items() if token.startswith("##"))


@pytest.mark.parametrize(("text", "said"), [("영화 최고", "holds no"), (f"{MASK} " * 80, "64 positions")])
def test_a_text_that_cannot_be_filled_is_refused(encoder: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_masked(encoder).fill(text)


def test_a_model_without_the_head_is_refused(encoder: Path, tmp_path: Path) -> None:
    AutoTokenizer.from_pretrained(encoder).save_pretrained(tmp_path)
    BertModel.from_pretrained(encoder).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="no masked-token head"):
        load_masked(tmp_path)


def test_a_model_without_the_order_head_still_fills_masks(encoder: Path, tmp_path: Path) -> None:
    AutoTokenizer.from_pretrained(encoder).save_pretrained(tmp_path)
    AutoModelForMaskedLM.from_pretrained(encoder).save_pretrained(tmp_path)
    model = load_masked(tmp_path)
    assert len(model.fill(TEXT, 2)) == 4
    with pytest.raises(UsageError, match="no sentence-order head"):
        model.in_order("가", "나")


def test_a_checkpoint_outside_its_run_wants_a_tokenizer(run: Path, encoder: Path, tmp_path: Path) -> None:
    lonely = tmp_path / "a" / "b" / "c" / "step-00000007"
    lonely.parent.mkdir(parents=True)
    (run / "pretrain" / "checkpoints" / "step-00000007").rename(lonely)
    with pytest.raises(UsageError, match="--tokenizer"):
        load_masked(lonely)
    assert len(load_masked(lonely, encoder).fill(TEXT, 2)) == 4


def test_a_record_that_is_no_pretraining_is_refused(run: Path) -> None:
    folder = run / "pretrain" / "checkpoints" / "step-00000007"
    record = json.loads((folder / "checkpoint.json").read_text())
    (folder / "checkpoint.json").write_text(json.dumps(record | {"config": {"model.wings": 2}}))
    with pytest.raises(UsageError, match="wings"):
        load_masked(folder)


def test_weights_of_another_shape_are_refused(run: Path) -> None:
    file = run / "export" / "model.safetensors"
    weights = load_file(file)
    name = next(name for name in weights if "embeddings" in name)
    save_file({other: tensor for other, tensor in weights.items() if other != name}, file, metadata={"format": "pt"})
    with pytest.raises(UsageError, match="lack"):
        load_masked(run / "export")
