"""How a benchmark is scored, by the metric a task names, and how several seeds' scores become one row of a table."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from korbert.benchmarks import answers as right_answers
from korbert.benchmarks import classes, correlation
from korbert.benchmarks.batches import Answers, EncodedRows, Labels
from korbert.benchmarks.entities import Found, compared
from korbert.benchmarks.sequences import ScoreRows
from korbert.benchmarks.spans import SpanRows
from korbert.benchmarks.tagging import OUTSIDE, TaggedRows
from korbert.tasks import Examples
from korbert.tasks.squad import Questions

NO_RELATION = "no_relation"
"""KLUE-RE's label of rows without a relation, which its F1 leaves out."""


@dataclass(frozen=True)
class Metric:
    """A score from 0 to 1; of correlations from -1."""

    score: Callable[[Answers, EncodedRows, Sequence[str]], float]
    """Of answers to rows, with the names of the labels."""
    baseline: Callable[[Examples, Examples, EncodedRows, Sequence[str]], float]
    """What any model must pass: of training and test examples, the test rows, and the labels' names."""
    baseline_is: str


def accuracy(predicted: NDArray[np.int64], gold: NDArray[np.int64]) -> float:
    """Share of rows whose predicted label is the right one; both (rows,), at least one row."""
    assert predicted.shape == gold.shape
    assert len(gold) > 0
    return float((predicted == gold).mean())


def majority(gold: NDArray[np.int64]) -> float:
    """Accuracy of always answering the most frequent label of `gold` (rows,): what any model must pass."""
    return float(np.bincount(gold).max() / len(gold))


def found_entities(answers: Labels, rows: EncodedRows, labels: Sequence[str]) -> Found:
    """The entities of the rows that the answers hold, words beyond a cut included."""
    assert isinstance(rows, TaggedRows)
    return compared(_by_row(rows.gold, rows, labels), _by_row(answers, rows, labels))


def commonest_tags(train: Examples, test: Examples) -> Labels:
    """(words of the test texts,) the tag that each word has most often in the training texts; O if it is not there."""
    tags: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for word, label in zip(_words(train), train.labels.tolist(), strict=True):
        tags[word][label] += 1
    commonest = {word: max(counter, key=lambda label: (counter[label], -label)) for word, counter in tags.items()}
    return np.asarray([commonest.get(word, OUTSIDE) for word in _words(test)], dtype=np.int64)


def commonest_eojeols(train: Examples, test: Examples) -> Labels:
    """(characters of the test texts,) the tags that each eojeol has most often in training; O if it is not there."""
    tags: defaultdict[str, Counter[tuple[int, ...]]] = defaultdict(Counter)
    done = 0
    for word in _words(train):
        tags[word][tuple(train.labels[done : done + len(word)].tolist())] += 1
        done += len(word)
    commonest = {word: min(counter, key=lambda found: (-counter[found], found)) for word, counter in tags.items()}
    each = [label for word in _words(test) for label in commonest.get(word, (OUTSIDE,) * len(word))]
    return np.asarray(each, dtype=np.int64)


def chosen(answers: Answers) -> Labels:
    """(r,) the label of each row, of probabilities (r, labels) the likeliest."""
    return answers.argmax(axis=1) if answers.ndim == 2 else answers


def constant_answer(answers: Answers, rows: EncodedRows) -> bool:
    """Whether scores are all the same, so that no correlation can be told."""
    return isinstance(rows, ScoreRows) and correlation.constant(answers)


def _likeness(train: Examples, test: Examples, rows: EncodedRows, labels: Sequence[str]) -> Labels:
    """What the texts' looks alone say, as a score of the training rows' range."""
    assert test.seconds is not None
    top = float(train.labels.max(initial=0))
    return correlation.likeness(test.texts, test.seconds) * top


def _commonest(rows: EncodedRows, *, without: int = -1) -> Labels:
    gold = rows.gold[rows.gold != without]
    return np.full(len(rows.gold), np.bincount(gold if len(gold) else rows.gold).argmax())


def _of_labels(score: Callable[[Labels, Labels], float]) -> Metric:
    return Metric(
        score=lambda answers, rows, labels: score(chosen(answers), rows.gold),
        baseline=lambda train, test, rows, labels: score(_commonest(rows), rows.gold),
        baseline_is="always guessing the larger class",
    )


def _of_scores(score: Callable[[Labels, Labels], float]) -> Metric:
    return Metric(
        score=lambda answers, rows, labels: score(answers, rows.gold),
        baseline=lambda train, test, rows, labels: score(_likeness(train, test, rows, labels), rows.gold),
        baseline_is="the share of character bigrams that both texts have",
    )


def _relation_f1(answers: Answers, rows: EncodedRows, labels: Sequence[str]) -> float:
    return classes.micro_f1(chosen(answers), rows.gold, labels.index(NO_RELATION))


def _auprc(answers: Answers, rows: EncodedRows, labels: Sequence[str]) -> float:
    return classes.auprc(answers, rows.gold)


def beginnings(train: Examples, test: Examples) -> list[str]:
    """To each test question the beginning of its context, as long as the median training answer."""
    assert isinstance(train, Questions)
    assert isinstance(test, Questions)
    lengths = sorted(len(answer.text) for several in train.answers for answer in several)
    return [context[: lengths[len(lengths) // 2]] if lengths else "" for context in test.contexts]


def _of_answers(compare: right_answers.Compare) -> Metric:
    def score(texts: Sequence[str], rows: EncodedRows) -> float:
        assert isinstance(rows, SpanRows)
        return right_answers.average(compare, texts, [question.rights for question in rows.questions])

    def of(answers: Answers, rows: EncodedRows) -> float:
        assert isinstance(rows, SpanRows)
        return score(rows.texts(answers), rows)

    return Metric(
        score=lambda answers, rows, labels: of(answers, rows),
        baseline=lambda train, test, rows, labels: score(beginnings(train, test), rows),
        baseline_is="the beginning of the context, as long as the median training answer,",
    )


def _of_characters(score: Callable[[Answers, TaggedRows, Sequence[str]], float]) -> Metric:
    return Metric(
        score=lambda answers, rows, labels: score(answers, _tagged(rows), labels),
        baseline=lambda train, test, rows, labels: score(commonest_eojeols(train, test), _tagged(rows), labels),
        baseline_is="giving each eojeol its commonest tags in training",
    )


def _tagged(rows: EncodedRows) -> TaggedRows:
    assert isinstance(rows, TaggedRows)
    return rows


METRICS = {
    "accuracy": Metric(
        score=lambda answers, rows, labels: accuracy(chosen(answers), rows.gold),
        baseline=lambda train, test, rows, labels: majority(rows.gold),
        baseline_is="always guessing the larger class",
    ),
    "macro_f1": _of_labels(classes.macro_f1),
    "micro_f1": Metric(
        score=_relation_f1,
        baseline=lambda train, test, rows, labels: _relation_f1(
            _commonest(rows, without=labels.index(NO_RELATION)), rows, labels
        ),
        baseline_is="always guessing the commonest relation",
    ),
    "auprc": Metric(
        score=_auprc,
        baseline=lambda train, test, rows, labels: _auprc(np.ones((len(rows), len(labels))), rows, labels),
        baseline_is="giving all labels alike",
    ),
    "spearman": _of_scores(correlation.spearman),
    "pearson": _of_scores(correlation.pearson),
    "binary_f1": _of_scores(classes.binary_f1),
    "f1": _of_answers(right_answers.f1),
    "exact_match": _of_answers(right_answers.exact_match),
    "rouge_w": _of_answers(right_answers.rouge_w),
    "klue_exact_match": _of_answers(right_answers.klue_exact_match),
    "entity_macro_f1": _of_characters(
        lambda answers, rows, labels: classes.entity_macro_f1(
            list(_by_row(rows.gold, rows, labels)), list(_by_row(answers, rows, labels))
        )
    ),
    "character_macro_f1": _of_characters(
        lambda answers, rows, labels: classes.macro_f1_of_all(answers, rows.gold, len(labels))
    ),
    "entity_f1": Metric(
        score=lambda answers, rows, labels: found_entities(answers, rows, labels).f1,
        baseline=lambda train, test, rows, labels: found_entities(commonest_tags(train, test), rows, labels).f1,
        baseline_is="giving each word its commonest tag in training",
    ),
}


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean of at least one value."""
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float | None:
    """Sample standard deviation (divisor n - 1); None for a single value, which has none."""
    if len(values) < 2:
        return None
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def _by_row(numbers: Labels, rows: TaggedRows, labels: Sequence[str]) -> Iterator[list[str]]:
    for line in np.split(numbers, rows.word_ends[:-1]):
        yield [labels[number] for number in line]


def _words(examples: Examples) -> Iterator[str]:
    for text in examples.texts:
        yield from text.split()
