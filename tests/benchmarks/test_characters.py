"""Every character that is no space is answered by exactly one token, and a token learns its first character's label."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from korbert.benchmarks.characters import character_rows, covered, going_on
from korbert.benchmarks.classifier import load_classifier, predicted
from korbert.benchmarks.metrics import METRICS, commonest_eojeols
from korbert.benchmarks.tagging import IGNORED
from korbert.benchmarks.tokens import InputTokenizer, load_tokenizer
from korbert.tasks import Examples
from korbert.tasks.klue_ner import LABELS


@pytest.fixture(scope="module")
def tokenizer(encoder: Path) -> InputTokenizer:
    return load_tokenizer(encoder)


def examples(*texts: str) -> Examples:
    """Characters with the labels 0, 1, 2, ... throughout."""
    count = sum(not character.isspace() for text in texts for character in text)
    return Examples(list(texts), np.arange(count) % len(LABELS))


def test_spans_count_characters_without_spaces_once() -> None:
    assert covered("가 나다 라", [(0, 0), (0, 1), (1, 4), (2, 4), (5, 6), (0, 0)]) == [
        (0, 0), (0, 1), (1, 2), (3, 0), (3, 1), (4, 0)
    ]  # fmt: skip


@given(st.lists(st.text(st.sampled_from("영화정말 좋다🙂金a?"), min_size=1, max_size=30), min_size=1, max_size=4))
def test_tokens_answer_each_character_at_most_once_and_in_order(encoder: Path, texts: list[str]) -> None:
    given_examples = examples(*texts)
    rows, cut = character_rows(given_examples, load_tokenizer(encoder), 512)
    assert cut == 0
    assert len(rows.gold) == len(given_examples.labels)
    for number in range(len(rows)):
        taken = rows.take(np.array([number]))
        answered = [p for f, c in zip(taken.firsts, taken.covers, strict=True) for p in range(f, f + c)]
        assert answered == sorted(set(answered))
        carried = taken.labels[taken.covers > 0]
        assert carried.tolist() == taken.gold[taken.firsts[taken.covers > 0]].tolist()
        assert (taken.labels[taken.covers == 0] == IGNORED).all()


def test_a_tokens_other_characters_go_on(tokenizer: InputTokenizer) -> None:
    """A word of syllables that the vocabulary has not is one unknown token."""
    rows, _ = character_rows(examples("영화 뷁쀍쀓"), tokenizer, 64)
    answers = rows.blank()
    best = np.full((1, len(rows.tokens)), LABELS.index("LC-B"))
    rows.fill(answers, np.array([0]), best)
    begins = rows.firsts[rows.covers > 0]
    assert (answers[begins] == LABELS.index("LC-B")).all()
    others = np.setdiff1d(np.arange(len(answers)), begins)
    assert len(others) > 0
    assert (answers[others] == LABELS.index("LC-I")).all()
    assert [going_on(n) for n in (0, 1, 2)] == [0, 2, 2]


def test_what_is_cut_is_answered_with_o_and_counted(encoder: Path, tokenizer: InputTokenizer) -> None:
    rows, cut = character_rows(examples("영화 " * 30), tokenizer, 10)
    assert cut == 1
    assert 0 < rows.cut_words < 60
    model = load_classifier(encoder, LABELS, 0.0, 1, "characters")
    answers = predicted(model, rows, tokenizer.pad)
    assert (answers[-rows.cut_words :] == 0).all()


def test_right_answers_score_one_and_the_baseline_knows_eojeols(tokenizer: InputTokenizer) -> None:
    begin, inside = LABELS.index("PS-B"), LABELS.index("PS-I")
    train = Examples(["김하늘은 왔다"], np.array([begin, inside, inside, 0, 0, 0]))
    test = Examples(["김하늘은 새빛"], np.array([begin, inside, inside, 0, 0, 0]))
    rows, _ = character_rows(test, tokenizer, 64)
    for name in ("entity_macro_f1", "character_macro_f1"):
        assert METRICS[name].score(rows.gold, rows, LABELS) == 1.0
        assert METRICS[name].baseline(train, test, rows, LABELS) == 1.0
    assert METRICS["entity_macro_f1"].score(np.zeros_like(rows.gold), rows, LABELS) == 0.0
    assert commonest_eojeols(train, Examples(["왔다 왔나"], np.zeros(4, np.int64))).tolist() == [0, 0, 0, 0]
