import pytest

from crawler.licences import allows_training, kogl


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("KOGL type 0", True),
        ("KOGL type 1", True),
        ("KOGL type 2", False),
        ("KOGL type 3", False),
        ("KOGL type 4", False),
        ("KOGL type 4 + AI", True),
        ("CC BY 4.0", True),
        ("CC BY-SA 4.0", True),
        ("cc-by-sa-3.0", True),
        ("CC BY 2.0 KR", True),
        ("CC0", True),
        ("CC BY-NC 4.0", False),
        ("CC BY-ND 4.0", False),
        ("CC BY-NC-SA 4.0", False),
        ("copyright of each publisher", False),
        ("operator's own file", True),
        ("MIT or else", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_a_licence_allows_training_when_it_allows_changes_and_trade(licence: str, expected: bool) -> None:
    assert allows_training(licence) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>본 저작물은 공공누리 제1유형에 따라 이용할 수 있습니다.</p>", "KOGL type 1"),
        ("공공누리 3유형", "KOGL type 3"),
        ("공공누리의 제 4 유형(출처표시, 상업적 이용 및 변경 금지)", "KOGL type 4"),
        ('<img src="/images/img_opentype02.png" alt="">', "KOGL type 2"),
        ("공공누리 제1유형, 사진은 공공누리 제4유형", "KOGL type 4"),
        ("공공누리 제2유형 및 공공누리 AI유형", "KOGL type 2 + AI"),
        ("제1유형", ""),
        ("", ""),
    ],
)
def test_the_narrowest_mark_on_a_release_is_its_licence(text: str, expected: str) -> None:
    assert kogl(text) == expected
