from datetime import datetime

import pytest

from crawler.extract.article import Extracted, NotAnArticle
from crawler.extract.stripping import stripped
from korbert.db.article import KST


def article(text: str, byline: str = "") -> Extracted:
    return Extracted("u", "제목", text, "한빛", "사회", byline, datetime(2024, 3, 1, tzinfo=KST), "generic")


def test_what_is_taken_out_is_recorded_with_its_rule_and_the_rest_stays() -> None:
    read = stripped(
        article(
            "(서울=한빛) 김하늘 기자 = 첫 문장이다.\n둘째 문장이다. (사진=한빛 제공)\nsky@h.example\n"
            "<저작권자 ⓒ 한빛, 무단 전재-재배포 금지>"
        )
    )
    assert read.text == "첫 문장이다.\n둘째 문장이다."
    assert [piece.reason for piece in read.removed] == ["photo_credit", "dateline", "copyright", "email"]
    assert "(서울=한빛) 김하늘 기자 =" in [piece.text for piece in read.removed]
    assert read.byline == "김하늘 기자"


def test_the_pages_own_byline_stands_before_one_in_the_text() -> None:
    assert stripped(article("김하늘 기자 = 글이다.", "박바다 기자")).byline == "박바다 기자"


def test_a_text_without_boilerplate_stays_as_it_is() -> None:
    clean = article("첫 문장이다.\n“둘째”라고 했다.")
    assert stripped(clean) == clean


def test_a_body_of_boilerplate_only_is_no_article() -> None:
    with pytest.raises(NotAnArticle, match="nothing but boilerplate"):
        stripped(article("▶ 한빛뉴스 채널 구독하기"))
