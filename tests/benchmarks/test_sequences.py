"""Pairs are one row with token types, the longer text is cut first, scores are learned and probabilities kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from korbert.benchmarks import finetune
from korbert.benchmarks.classifier import load_classifier, logits, predicted
from korbert.benchmarks.fitting import Fitting, Settings
from korbert.benchmarks.sequences import ProbabilityRows, ScoreRows, SequenceRows, scores_strata, sequence_rows
from korbert.benchmarks.tokens import InputTokenizer, load_tokenizer
from korbert.chain import Workspace
from korbert.config import Config
from korbert.errors import UsageError
from korbert.storage import read_json
from korbert.tasks import Examples, korsts

FIRST, SECOND = "영화 정말 좋다", "배우 최고"
SETTINGS = Settings(epochs=20, batch=8, lr=1e-2, warmup=0.1, weight_decay=0.01, dropout=0.0, seed=1)


@pytest.fixture(scope="module")
def tokenizer(encoder: Path) -> InputTokenizer:
    return load_tokenizer(encoder)


def pair(first: str, second: str, label: float = 0) -> Examples:
    return Examples([first], np.asarray([label]), seconds=[second])


def test_a_pair_is_one_row_with_a_separator_and_types(tokenizer: InputTokenizer) -> None:
    rows, cut = sequence_rows(SequenceRows, pair(FIRST, SECOND), tokenizer, 64)
    first, second = tokenizer.ids([FIRST, SECOND])
    assert rows.row(0).tolist() == first + second[1:]
    types = rows.types(np.array([0]), len(rows.tokens) + 2)
    assert types is not None
    assert types[0].tolist() == [0] * len(first) + [1] * (len(second) - 1) + [0, 0]
    assert cut == 0


def test_single_texts_have_no_types(tokenizer: InputTokenizer) -> None:
    rows, _ = sequence_rows(SequenceRows, Examples([FIRST], np.array([0])), tokenizer, 64)
    assert rows.types(np.array([0]), 9) is None
    assert rows.row(0).tolist() == next(tokenizer.ids([FIRST]))


@pytest.mark.parametrize("turned", [False, True])
def test_the_longer_text_of_a_pair_is_cut_first_and_rows_are_counted(tokenizer: InputTokenizer, turned: bool) -> None:
    long, short = "영화 " * 40, "배우"
    examples = pair(short, long) if turned else pair(long, short)
    rows, cut = sequence_rows(SequenceRows, examples, tokenizer, 20)
    kept, _ = sequence_rows(SequenceRows, pair(short, short), tokenizer, 64)
    size = len(next(tokenizer.ids([short]))) - 2
    assert (cut, len(rows.tokens)) == (1, 20)
    short_tokens = rows.tokens[-1 - size : -1] if not turned else rows.tokens[1 : 1 + size]
    assert short_tokens.tolist() == kept.tokens[1 : 1 + size].tolist()
    assert rows.begins.tolist() == [20 - size - 1 if not turned else size + 2]


def test_taken_rows_keep_their_kind_types_and_scores(tokenizer: InputTokenizer) -> None:
    examples = Examples([FIRST, SECOND, FIRST], np.array([0.5, 1.5, 2.5]), seconds=[SECOND, FIRST, FIRST])
    rows, _ = sequence_rows(ScoreRows, examples, tokenizer, 64)
    taken = rows.take(np.array([2, 0]))
    assert isinstance(taken, ScoreRows)
    assert taken.labels.tolist() == [2.5, 0.5]
    assert taken.begins.tolist() == [rows.begins[2], rows.begins[0]]


def test_the_second_text_decides_what_types_say_to_the_encoder(encoder: Path, tokenizer: InputTokenizer) -> None:
    rows, _ = sequence_rows(SequenceRows, pair(FIRST, SECOND), tokenizer, 64)
    blind = replace(rows, begins=rows.lengths)
    model = load_classifier(encoder, ("a", "b"), 0.0, 1).eval()
    with torch.no_grad():
        told, untold = (logits(model, found, np.array([0]), tokenizer.pad) for found in (rows, blind))
    assert not torch.allclose(told, untold)


def test_scores_are_learned_by_their_squared_error(encoder: Path, tokenizer: InputTokenizer) -> None:
    texts = [FIRST, SECOND] * 16
    examples = Examples(texts, np.tile([1.0, 4.0], 16), seconds=texts)
    rows, _ = sequence_rows(ScoreRows, examples, tokenizer, 64)
    model = load_classifier(encoder, ("score",), 0.0, 1, "score")
    fitting = Fitting(model, rows, tokenizer.pad, SETTINGS)
    losses = [fitting.epoch(number).loss for number in range(1, SETTINGS.epochs + 1)]
    assert losses[-1] < losses[0] / 4
    answers = predicted(model, rows, tokenizer.pad)
    assert answers.dtype == np.float64
    assert abs(answers[0] - 1) < abs(answers[0] - 4)
    assert rows.loss(torch.tensor([[1.0], [3.0]]), torch.tensor([1.0, 1.0]), None).item() == 2.0


def test_probabilities_sum_to_one_in_the_rows_order(encoder: Path, tokenizer: InputTokenizer) -> None:
    texts = [f"영화 {'정말 ' * (n % 5)}좋다" for n in range(20)]
    rows, _ = sequence_rows(ProbabilityRows, Examples(texts, np.arange(20) % 3), tokenizer, 64)
    model = load_classifier(encoder, ("a", "b", "c"), 0.0, 1)
    answers = predicted(model, rows, tokenizer.pad)
    assert answers.shape == (20, 3)
    assert answers.sum(axis=1) == pytest.approx(np.ones(20))
    alone = predicted(model, rows.take(np.array([7])), tokenizer.pad)
    assert answers[7] == pytest.approx(alone[0], abs=1e-5)


def test_rare_labels_weigh_as_much_as_common_ones_when_balanced(tokenizer: InputTokenizer) -> None:
    examples = Examples([FIRST] * 10, np.array([0] * 8 + [1] * 2))
    rows, _ = sequence_rows(SequenceRows, examples, tokenizer, 64)
    weights = rows.balance(2)
    assert weights.tolist() == pytest.approx([0.625, 2.5])
    assert weights[0] * 8 == pytest.approx(weights[1] * 2)


def test_scores_are_drawn_by_fifths_of_their_range() -> None:
    assert scores_strata(np.array([0.0, 0.9, 1.0, 4.9, 5.0])).tolist() == [0, 0, 1, 4, 4]


@pytest.fixture
def likeness(config: Config, tmp_path: Path) -> Config:
    """KorSTS' files, in which pairs of equal texts score 5 and others 0 to 1."""
    draw = np.random.default_rng(0)
    for name, count in ((korsts.TRAIN, 96), (korsts.VALIDATION, 24), (korsts.TEST, 30)):
        lines = ["\t".join(korsts.COLUMNS)]
        for _ in range(count):
            first, second = draw.choice(["감동", "최고", "배우", "음악"], 2)
            score = 5.0 if first == second else draw.random()
            lines.append(f"a\tb\tc\td\t{score:.3f}\t{first}\t{second}")
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    section = replace(config.finetune, task="korsts", data=str(tmp_path), epochs=4, patience=1)
    return replace(config, finetune=section)


def test_likeness_is_scored_with_the_second_metric_beside_the_first(likeness: Config, workspace: Workspace) -> None:
    manifest = finetune.run(likeness, workspace)
    scores = read_json(workspace.path("finetune") / "scores.json")
    assert (scores["metric"], list(scores["also"])) == ("spearman", ["pearson"])
    assert (scores["n_train"], scores["n_validation"], scores["n_test"]) == (96, 24, 30)
    each = [seed["also"]["pearson"] for seed in scores["seeds"]]
    assert scores["also"]["pearson"]["mean"] == pytest.approx(sum(each) / 2)
    assert scores["also"]["pearson"]["std"] == pytest.approx(abs(each[0] - each[1]) / 2**0.5)
    assert manifest.counts["pearson"] == scores["also"]["pearson"]["mean"]
    assert scores["majority_baseline"] > 0.5  # equal texts look alike
    assert scores["constant_answers"] == 0
    for seed in scores["seeds"]:
        after = len(seed["validation"]) - seed["best_epoch"]
        assert after <= 1
        assert len(seed["validation"]) == 4 or after == 1


def test_scores_have_no_labels_to_weigh(likeness: Config, workspace: Workspace) -> None:
    weighed = replace(likeness, finetune=replace(likeness.finetune, class_weights="balanced"))
    with pytest.raises(UsageError, match="task korsts has no labels to weigh"):
        finetune.run(weighed, workspace)
