"""What was found is marked, and nothing else of the text changes."""

from korbert.use.marking import around, with_entities


def test_a_marked_text_keeps_every_character_between() -> None:
    found = [
        {"begin": 0, "end": 3, "text": "이순신", "type": "PER"},
        {"begin": 5, "end": 7, "text": "서울", "type": "LOC"},
    ]
    assert with_entities("이순신은 서울로", found) == "[이순신 PER]은 [서울 LOC]로"
    assert with_entities("없다", []) == "없다"


def test_an_answer_is_shown_with_what_stands_around_it() -> None:
    text = "가" * 100 + " 답\n나 " + "다" * 100
    assert around(text, 101, 102) == "..." + "가" * 59 + " [답] 나 " + "다" * 57 + "..."
    assert around("답", 0, 1) == "[답]"
