"""SQuAD's layout: offsets count code points, answers are found where there is no doubt, errors name file and id."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from korbert.errors import UsageError
from korbert.tasks.squad import NOWHERE, Answer, apart, placed, read

CONTEXT = "한강은 𝒳 서울을 지난다.\\n\\n길이는 494킬로미터이다."


def question(**changes: Any) -> dict[str, Any]:
    begin = CONTEXT.index("서울")
    return {"id": "q1", "question": "어디를 지나는가?", "answers": [{"text": "서울", "answer_start": begin}]} | changes


def written(folder: Path, *questions: dict[str, Any], context: Any = CONTEXT) -> Path:
    path = folder / "some.json"
    data = [{"title": "한강", "paragraphs": [{"context": context, "qas": list(questions)}]}]
    path.write_text(json.dumps({"version": "1", "data": data}, ensure_ascii=False), encoding="utf-8")
    return path


def test_an_offset_counts_code_points_and_a_backslash_n_is_two(tmp_path: Path) -> None:
    far = CONTEXT.index("494킬로미터")
    found = read(
        written(tmp_path, question(), question(id="q2", answers=[{"text": "494킬로미터", "answer_start": far}])), "it"
    )
    assert found.ids == ["q1", "q2"]
    assert found.contexts[0] is found.contexts[1]
    for (answer,) in found.answers:
        assert CONTEXT[answer.begin : answer.end] == answer.text
    assert found.counts == {"recomposed_answers": 0, "moved_answers": 0, "unplaced_answers": 0}


@pytest.mark.parametrize(
    ("context", "text", "begin", "place", "how"),
    [
        ("가나 다라", "다라", 3, (3, 5), ""),
        ("가나 다라", "다라", 2, (3, 5), "moved_answers"),
        ("다라 가나 다라", "다라", 2, (NOWHERE, NOWHERE), "unplaced_answers"),
        ("aaa", "aa", 2, (NOWHERE, NOWHERE), "unplaced_answers"),  # occurs twice, overlapping
        ("가나", "마", 0, (NOWHERE, NOWHERE), "unplaced_answers"),
        (unicodedata.normalize("NFD", "한강은"), "한강", 0, (0, 6), "recomposed_answers"),
        ("한강은", unicodedata.normalize("NFD", "한강"), 0, (0, 2), "recomposed_answers"),
    ],
    ids=["exact", "moved", "ambiguous", "overlapping", "absent", "decomposed context", "decomposed answer"],
)
def test_an_answer_is_placed_where_there_is_no_doubt(
    context: str, text: str, begin: int, place: tuple[int, int], how: str
) -> None:
    assert placed(context, text, begin) == (Answer(text, *place), how)


def test_what_had_to_be_done_is_counted_and_the_text_stays(tmp_path: Path) -> None:
    answers = [{"text": "서울", "answer_start": 0}, {"text": "부산", "answer_start": 0}]
    found = read(written(tmp_path, question(answers=answers)), "it")
    assert found.counts == {"recomposed_answers": 0, "moved_answers": 1, "unplaced_answers": 1}
    assert [answer.text for answer in found.answers[0]] == ["서울", "부산"]


def test_a_marked_question_may_lack_an_answer_and_klue_names_its_ids_guid(tmp_path: Path) -> None:
    lacking = {"guid": "q2", "question": "언제?", "answers": [], "is_impossible": True, "plausible_answers": [{"x": 1}]}
    found = read(written(tmp_path, question(is_impossible=False), lacking), "it", unanswerable=True)
    assert (found.ids, [len(answers) for answers in found.answers]) == (["q1", "q2"], [1, 0])
    assert found.may_lack
    with pytest.raises(UsageError, match=r"some\.json question q2: has no answers"):
        read(written(tmp_path, lacking), "it")


def test_a_file_without_marks_has_answers_to_all(tmp_path: Path) -> None:
    assert not read(written(tmp_path, question()), "it", unanswerable=True).may_lack


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (question(answers=[]), "question q1: has no answers"),
        (question(answers=[{"text": "서울", "answer_start": len(CONTEXT)}]), "question q1: answer_start is"),
        (question(answers=[{"text": "서울", "answer_start": "7"}]), "question q1: answer_start is '7'"),
        (question(answers=[{"text": "서울", "answer_start": True}]), "question q1: answer_start is True"),
        (question(answers=[{"text": " ", "answer_start": 0}]), "question q1: answer is"),
        (question(answers=["서울"]), "question q1: answer is '서울'"),
        (question(question=""), "question q1: question is"),
        (question(id=7), "first question: id is 7"),
    ],
    ids=["no answer", "beyond", "a text", "a truth value", "blank", "not a record", "no question", "a number as id"],
)
def test_a_bad_question_is_refused_with_file_and_id(entry: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        read(written(tmp_path, entry), "it")
    assert f"some.json {says}" in str(refusal.value)


def test_an_id_occurs_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="question q1: its id occurs twice"):
        read(written(tmp_path, question(), question()), "it")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is no JSON"), (b"[]", "must be in SQuAD 1.1's layout"), (b'{"data": [3]}', "must be in SQuAD 1.1's layout"),
     (b'{"data": []}', "holds no question"), (b"\xff", "is no JSON")],
    ids=["empty", "a list", "no articles", "no questions", "not UTF-8"],
)  # fmt: skip
def test_another_file_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "some.json").write_bytes(content)
    with pytest.raises(UsageError) as refusal:
        read(tmp_path / "some.json", "train.json")
    assert str(tmp_path / "some.json") in str(refusal.value)
    assert says in str(refusal.value)


def test_an_empty_context_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="article '한강' paragraph 1: context is"):
        read(written(tmp_path, question(), context=" "), "it")


def test_questions_on_a_context_of_the_others_are_left_out_and_counted(tmp_path: Path) -> None:
    first = read(written(tmp_path, question(), question(id="q2")), "it")
    second = read(written(tmp_path, question(id="q3"), context=CONTEXT + " "), "it")
    assert apart(first, second).counts["dropped_questions"] == 0
    assert apart(first, second).ids == ["q1", "q2"]
    with pytest.raises(UsageError, match="all their contexts are also tested on"):
        apart(first, first)
