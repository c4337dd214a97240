"""Answers are compared as KorQuAD's script and KLUE's code compare them, to the last digit."""

import random
import re

import pytest

from korbert.benchmarks import answers

PARTS = [
    *"《》「」〈〉<>()'‘’“”.,-%~·…\"ẞİ 은는을한가\t\u3000\xa0",
    *("서울", "서울은", "1989년", "2월", "Seoul", "SEOUL", "  ", "\\n", "가나", "3.5"),
]


def reference_normalized(text: str) -> str:
    """KorQuAD's steps, one after the other: symbols to spaces, small letters, ASCII punctuation away, single blanks."""
    spaced = re.sub("['\"《》<>〈〉()‘’]", " ", text)
    small = spaced.lower()
    bare = re.sub(r"[!-/:-@\[-`{-~]", "", small)
    return re.sub(r"\s+", " ", bare).strip()


def reference_f1(said: str, right: str) -> float:
    """By crossing out: each character of the answer takes one equal character of the right answer."""
    first = [letter for letter in reference_normalized(said) if letter != " "]
    second = [letter for letter in reference_normalized(right) if letter != " "]
    rest = list(second)
    same = 0
    for letter in first:
        if letter in rest:
            rest.remove(letter)
            same += 1
    if same == 0:
        return 0
    precision, recall = same / len(first), same / len(second)
    return 2 * precision * recall / (precision + recall)


def reference_run(said: str, right: str) -> int:
    """Length of the longest common run, by trying all of them."""
    runs = {said[i:j] for i in range(len(said)) for j in range(i + 1, len(said) + 1)}
    return max((len(run) for run in runs if run in right), default=0)


def reference_rouge(said: str, right: str) -> float:
    first, second = (
        " ".join(re.sub(r"[!-/:-@\[-`{-~]", "", text.lower()).split()) for text in (said, right)
    )  # fmt: skip
    if second == "":
        return float(first == "")
    run = reference_run(first, second)
    if run == 0:
        return 0.0
    precision, recall = run / len(first), run / len(second)
    return 2 * precision * recall / (precision + recall)


def cases(seed: int, count: int) -> list[tuple[str, list[str]]]:
    """Answers that are often near a right one, with one to three right ones; some are empty or of symbols alone."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        rights = ["".join(draw.choices(PARTS, k=draw.randint(1, 6))) for _ in range(draw.randint(1, 3))]
        kind = draw.random()
        said = "" if kind < 0.05 else draw.choice(rights) if kind < 0.4 else "".join(draw.choices(PARTS, k=3))
        if kind > 0.8:
            said = draw.choice(rights) + draw.choice(["은", "는", "》", " ", "."])
        found.append((said, rights))
    return found


def test_a_thousand_answers_score_as_derived_anew() -> None:
    drawn = cases(seed=1, count=1_000)
    total_f1 = total_em = 0.0
    for said, rights in drawn:
        expected = max(reference_f1(said, right) for right in rights)
        equal = max(float(reference_normalized(said) == reference_normalized(right)) for right in rights)
        assert answers.best(answers.f1, said, rights) == expected
        assert answers.best(answers.exact_match, said, rights) == equal
        total_f1 += expected
        total_em += equal
    texts, rights_of_all = [said for said, _ in drawn], [rights for _, rights in drawn]
    assert answers.average(answers.f1, texts, rights_of_all) == total_f1 / 1_000
    assert answers.average(answers.exact_match, texts, rights_of_all) == total_em / 1_000
    assert 0.2 < total_em / 1_000 < total_f1 / 1_000 < 0.9  # the cases are neither trivial nor hopeless


def test_a_thousand_answers_score_by_klues_measure_as_derived_anew() -> None:
    for said, rights in cases(seed=2, count=1_000):
        assert answers.best(answers.rouge_w, said, rights) == max(reference_rouge(said, right) for right in rights)


@pytest.mark.parametrize(
    ("said", "right", "f1", "exact"),
    [
        ("서울", "서울", 1.0, 1.0),
        ("서울은", "서울", 0.8, 0.0),  # a particle is not stripped
        ("《서울》", "서울", 1.0, 1.0),
        ("「서울」", "서울", 2 / 3, 0.0),  # corner brackets stay
        ("", "서울", 0.0, 0.0),
        ("...", "서울", 0.0, 0.0),
        ("...", "!?", 0.0, 1.0),  # nothing is left of either
        ("울서", "서울", 1.0, 0.0),  # the order of characters does not count
        ("서 울", "서울", 1.0, 0.0),
        ("3.5", "35", 1.0, 1.0),
        ("SeouL", "seoul", 1.0, 1.0),
        ("가가", "가", 2 / 3, 0.0),
    ],
    ids=["equal", "particle", "angle brackets", "corner brackets", "empty", "points", "only punctuation",
         "order", "blank", "point inside", "case", "twice"],
)  # fmt: skip
def test_an_awkward_answer(said: str, right: str, f1: float, exact: float) -> None:
    assert answers.f1(said, right) == pytest.approx(f1, abs=0)
    assert answers.exact_match(said, right) == exact


def test_klue_keeps_brackets_that_are_not_ascii() -> None:
    assert answers.klue_exact_match("《서울》", "서울") == 0.0
    assert answers.klue_exact_match('"서울"', "서울") == 1.0
    assert answers.rouge_w("울서", "서울") == 0.5


def test_no_text_is_the_right_answer_where_there_is_none() -> None:
    for compare in (answers.klue_exact_match, answers.rouge_w):
        assert answers.best(compare, "", []) == 1.0
        assert answers.best(compare, "서울", []) == 0.0
