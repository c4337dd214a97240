"""Both sides fine-tune the same rows from the same weights, and what is counted is real tokens."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, DataCollatorWithPadding, TrainingArguments
from transformers.models.bert.modeling_bert import BertSelfAttention

from korbert import bench, recipes, tasks
from korbert.bench.finetune import DEFAULT_BATCH, Peer, Sides, measure, peer_model, peer_rows
from korbert.benchmarks.classifier import logits
from korbert.chain import shipped_nsmc
from korbert.config import Config
from korbert.errors import UsageError


@pytest.fixture
def config() -> Config:
    section = replace(recipes.demo().finetune, batch=8, epochs=1, seeds=(1, 2), max_tokens=32, dropout=0.0, lr=1e-3)
    return replace(recipes.demo(), finetune=section)


@pytest.fixture
def sides(config: Config, encoder: Path) -> Sides:
    return Sides(config.finetune, tasks.task("nsmc"), shipped_nsmc(), encoder, 24)


def test_both_sides_answer_alike_before_training(sides: Sides, encoder: Path) -> None:
    numbers = np.arange(8)
    ours, peer = sides.fitting(1, 1).model, peer_model(sides, 1, 0.0)
    ours.train(False)
    peer.train(False)
    batch = DataCollatorWithPadding(AutoTokenizer.from_pretrained(encoder))(peer_rows(sides.training)[:8])
    with torch.inference_mode():
        answers = logits(ours, sides.training, numbers, sides.tokenizer.pad)
        peers = peer(**batch).logits
    assert int(batch["attention_mask"].sum()) == int(sides.training.lengths[numbers].sum())
    torch.testing.assert_close(answers, peers, rtol=1e-4, atol=1e-5)


def test_the_peers_attention_dropout_is_what_is_asked_for(sides: Sides) -> None:
    for rate in (0.0, 0.25):
        drops = [m.dropout.p for m in peer_model(sides, 1, rate).modules() if isinstance(m, BertSelfAttention)]
        assert drops == [rate]


def test_no_validation_row_is_trained_on(config: Config, encoder: Path, tmp_path: Path) -> None:
    texts = [" ".join("영화" if number >> bit & 1 else "배우" for bit in range(6)) for number in range(60)]
    lines = [f"{number}\t{text}\t{number % 2}" for number, text in enumerate(texts)]
    for name in ("ratings_train.txt", "ratings_test.txt"):
        (tmp_path / name).write_text("\n".join(["id\tdocument\tlabel", *lines]) + "\n", encoding="utf-8")
    sides = Sides(config.finetune, tasks.task("nsmc"), tmp_path, encoder, 1_000)
    assert (len(sides.training), len(sides.validation)) == (40, 20)
    trained, held = (
        {tuple(row["input_ids"]) for row in peer_rows(rows)} for rows in (sides.training, sides.validation)
    )
    assert (len(trained), len(held)) == (40, 20)
    assert not trained & held


def test_scores_come_by_seed_and_rates_by_round(config: Config, encoder: Path) -> None:
    measured = measure(config, encoder, 3, 24, scores=True)
    assert len(measured.ours) == len(measured.peer) == 3
    assert measured.ratio > 0
    found = json.loads(measured.json())
    assert (found["rows"], found["validation_rows"]) == (24, 12)
    assert len(found["scores"]) == len(found["peer_scores"]) == 2
    assert all(score * 12 == pytest.approx(round(score * 12), abs=1e-2) for score in found["scores"])
    assert found["padding"] < found["padding_of_random_batches"] < 1
    assert found["peer_attention_dropout"] == 0.1
    assert found["peer_optimizer"].startswith("adamw")


def test_the_trainers_own_batch_is_measured_too(config: Config, encoder: Path, sides: Sides, tmp_path: Path) -> None:
    assert TrainingArguments(output_dir=str(tmp_path)).per_device_train_batch_size == DEFAULT_BATCH
    larger = replace(config, finetune=replace(config.finetune, batch=2 * DEFAULT_BATCH))
    found = measure(larger, encoder, 3, 24).details
    assert (found["batch"], found["peer_default_batch"]) == (2 * DEFAULT_BATCH, DEFAULT_BATCH)
    assert found["ratio_of_default_batch"] > 0
    for batch, steps in ((None, 24 // 8), (3, 24 // 3)):
        peer = Peer(sides, 1, 1, 0.0, str(tmp_path), batch)
        peer.train()
        assert peer.steps == steps


def test_a_task_that_labels_words_is_refused(config: Config, encoder: Path, tmp_path: Path) -> None:
    words = replace(config, finetune=replace(config.finetune, task="ner", data=str(tmp_path)))
    with pytest.raises(UsageError, match="--task ner: must be one that labels texts whole"):
        measure(words, encoder, 3)


def test_a_probability_above_1_is_refused(config: Config, encoder: Path) -> None:
    with pytest.raises(UsageError, match="--attention-dropout 2"):
        bench.run("finetune", config, model=encoder, attention_dropout=2.0)
