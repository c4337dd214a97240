"""Encoders become classifiers, unfit ones are refused, and a saved classifier answers as before."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, ModernBertConfig, ModernBertModel

from korbert.benchmarks.batches import EncodedRows, encoded
from korbert.benchmarks.classifier import (
    check_inputs,
    load_classifier,
    logits,
    predicted,
    save_classifier,
)
from korbert.benchmarks.tokens import load_tokenizer
from korbert.errors import UsageError
from korbert.tasks.nsmc import LABELS


@pytest.fixture
def rows(encoder: Path) -> EncodedRows:
    texts = [f"영화 {'정말 ' * (number % 9)}좋다" for number in range(40)]
    return encoded(texts, np.arange(40) % 2, load_tokenizer(encoder), 32)[0]


@pytest.fixture
def copy(encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(encoder, tmp_path / "copy"))


def test_the_encoders_weights_are_kept_and_the_head_is_drawn_by_seed(encoder: Path) -> None:
    one, again, two = (load_classifier(encoder, LABELS, 0.1, seed) for seed in (1, 1, 2))
    source = AutoModel.from_pretrained(encoder).state_dict()
    assert all(torch.equal(value, source[name]) for name, value in one.base_model.state_dict().items())
    assert torch.equal(one.classifier.weight, again.classifier.weight)
    assert not torch.equal(one.classifier.weight, two.classifier.weight)


def test_padding_and_company_do_not_change_an_answer(encoder: Path, rows: EncodedRows) -> None:
    model = load_classifier(encoder, LABELS, 0.1, 1).eval()
    with torch.inference_mode():
        together = logits(model, rows, np.arange(len(rows)), pad=0)
        alone = torch.cat([logits(model, rows, np.array([number]), pad=0) for number in range(len(rows))])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_answers_come_in_the_rows_order_and_leave_the_model_training(encoder: Path, rows: EncodedRows) -> None:
    model = load_classifier(encoder, LABELS, 0.5, 1)
    told: list[int] = []
    answers = predicted(model, rows, 0, told.append)
    assert model.training
    assert sum(told) == len(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    assert predicted(model, rows.take(order), 0).tolist() == answers[order].tolist()


def test_a_saved_classifier_answers_as_before_and_names_its_labels(
    encoder: Path, rows: EncodedRows, tmp_path: Path
) -> None:
    model = load_classifier(encoder, LABELS, 0.1, 1)
    folder = tmp_path / "model"
    for _ in range(2):  # the second takes the place of the first
        save_classifier(folder, model, load_tokenizer(encoder))
    again = load_classifier(folder, LABELS, 0.1, 99)
    assert predicted(again, rows, 0).tolist() == predicted(model, rows, 0).tolist()
    assert json.loads((folder / "config.json").read_text())["id2label"] == {"0": "negative", "1": "positive"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    for load in (load_tokenizer, lambda folder: load_classifier(folder, LABELS, 0.1, 1)):
        with pytest.raises(UsageError, match="run: korbert run --to export"):
            load(tmp_path)


def test_a_damaged_weight_file_is_refused(copy: Path) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UsageError, match="holds no encoder that can be read"):
        load_classifier(copy, LABELS, 0.1, 1)


def test_weights_of_another_model_are_refused_not_drawn_anew(copy: Path) -> None:
    shape = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**shape, "num_hidden_layers": 2}))
    with pytest.raises(UsageError, match=r"its weights lack \d+ of the model's tensors"):
        load_classifier(copy, LABELS, 0.1, 1)


@pytest.mark.parametrize("head", ["sentence", "words"])
def test_a_bare_modernbert_lacks_its_head_alone_and_is_taken(tmp_path: Path, head: str) -> None:
    shape = ModernBertConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        classifier_bias=True, norm_bias=True, pad_token_id=0, bos_token_id=2, eos_token_id=3, cls_token_id=2,
        sep_token_id=3,
    )  # fmt: skip
    bare = ModernBertModel(shape)
    bare.save_pretrained(tmp_path)
    model = load_classifier(tmp_path, LABELS, 0.1, 1, head)
    assert all(torch.equal(value, bare.state_dict()[name]) for name, value in model.base_model.state_dict().items())


def test_a_token_the_encoder_does_not_know_is_refused(copy: Path, rows: EncodedRows) -> None:
    shape = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**shape, "vocab_size": 6}))
    with pytest.raises(UsageError, match="its encoder knows 6 tokens"):
        check_inputs(copy, rows)


def test_rows_longer_than_the_positions_are_refused(encoder: Path) -> None:
    long, _ = encoded(["영화 " * 90], np.array([1]), load_tokenizer(encoder), 80)
    with pytest.raises(UsageError, match=r"finetune.max_tokens: rows have up to 80 tokens.* 64 positions"):
        check_inputs(encoder, long)
