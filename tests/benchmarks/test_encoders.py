"""Encoders of every family that transformers has take every head: token types and positions are each family's own."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoConfig, AutoModel

from korbert.benchmarks.batches import EncodedRows
from korbert.benchmarks.classifier import check_inputs, load_classifier, predicted
from korbert.benchmarks.fitting import Fitting, Settings
from korbert.benchmarks.material import encoded_examples
from korbert.benchmarks.tokens import load_tokenizer
from korbert.errors import UsageError
from korbert.tasks import Examples, klue_ner, korsts, ner, task

SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": 64, "pad_token_id": 0,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {},
    "electra": {"embedding_size": 32},
    "roberta": {"pad_token_id": 1, "max_position_embeddings": 66, "type_vocab_size": 1},
    "albert": {"embedding_size": 16},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
    "modernbert": {"global_attn_every_n_layers": 1, "cls_token_id": 2, "sep_token_id": 3, "eos_token_id": 3,
                   "bos_token_id": 2},
    "deberta-v2": {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"]},
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def folder(request: pytest.FixtureRequest, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an encoder of the family, not trained, and our tokenizer."""
    made = tmp_path_factory.mktemp(request.param)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(encoder / name, made / name)
    vocabulary = AutoConfig.from_pretrained(encoder).vocab_size
    fields = SMALL | FAMILIES[request.param]
    if request.param == "distilbert":
        fields = {name: value for name, value in fields.items() if name not in SMALL or "pos" in name or "pad" in name}
    config = AutoConfig.for_model(request.param, vocab_size=vocabulary, **fields)
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(made)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    return made


TEXTS = ["영화 정말 좋다", "배우 최고", "결말 최악"] * 4
CASES = [
    ("nsmc", Examples(TEXTS, np.arange(12) % 2)),
    ("klue-nli", Examples(TEXTS, np.arange(12) % 3, seconds=TEXTS[::-1])),
    ("klue-re", Examples(TEXTS, np.arange(12) % 30)),
    ("korsts", Examples(TEXTS, np.arange(12) / 3, seconds=TEXTS[::-1])),
    ("ner", Examples(TEXTS, np.arange(sum(len(text.split()) for text in TEXTS)) % len(ner.LABELS))),
    ("klue-ner", Examples(TEXTS, np.arange(sum(len(text.replace(" ", "")) for text in TEXTS)) % len(klue_ner.LABELS))),
]


@pytest.mark.parametrize(("name", "examples"), CASES, ids=[name for name, _ in CASES])
def test_every_family_learns_and_answers_with_every_head(folder: Path, name: str, examples: Examples) -> None:
    found, tokenizer = task(name), load_tokenizer(folder)
    rows, _ = encoded_examples(found, examples, tokenizer, 64)
    check_inputs(folder, rows)
    model = load_classifier(folder, found.labels, 0.1, 1, found.head)
    fitting = Fitting(model, rows, tokenizer.pad, Settings(1, 4, 1e-3, 0.0, 0.01, 0.1, 1))
    assert np.isfinite(fitting.epoch(1).loss)
    answers = predicted(model, rows, tokenizer.pad)
    assert len(answers) == len(rows.gold)
    assert np.isfinite(answers).all()


def test_rows_may_be_as_long_as_the_positions_and_no_longer(folder: Path) -> None:
    def rows(length: int) -> EncodedRows:
        return EncodedRows(np.full(length, 5, np.int32), np.array([length]), np.array([0]))

    check_inputs(folder, rows(64))
    model = load_classifier(folder, ("a", "b"), 0.0, 1)
    assert len(predicted(model, rows(64), 0)) == 1
    with pytest.raises(UsageError, match="has 64 positions; choose fewer"):
        check_inputs(folder, rows(65))


def test_scores_lie_in_a_single_output(folder: Path) -> None:
    assert load_classifier(folder, korsts.TASK.labels, 0.0, 1, "score").config.num_labels == 1
