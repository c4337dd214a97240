import pytest

from crawler.extract.times import korean_time, labelled_time, machine_time, time_within


def iso(moment: object) -> str | None:
    return moment.isoformat() if moment else None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2019-12-31 23:59:07", "2019-12-31T23:59:07+09:00"),
        ("2019.12.31. 오후 11:59", "2019-12-31T23:59:00+09:00"),
        ("2019.1.2 오전 12:00", "2019-01-02T00:00:00+09:00"),
        ("2019.1.2. 오후 12:30", "2019-01-02T12:30:00+09:00"),
        ("2019.1.2. 오후 13:30", None),
        ("2019.1.2. 오전 0:30", None),
        ("2019-13-01 00:00", None),
        ("입력 2019-12-31 23:59", None),
        ("", None),
    ],
)
def test_korean_times_are_read(stamp: str, expected: str | None) -> None:
    assert iso(korean_time(stamp)) == expected


@pytest.mark.parametrize("label", ["기사입력 ", "최종수정 ", "입력: ", "등록 | ", "송고시간 ", "발행일 : ", "수정", ""])
def test_a_label_before_a_time_is_no_part_of_it(label: str) -> None:
    assert iso(labelled_time(f"{label}2022.07.01. 오후 03:12")) == "2022-07-01T15:12:00+09:00"
    assert labelled_time(f"{label}어제") is None


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2024-03-01T10:00:00+09:00", "2024-03-01T10:00:00+09:00"),
        ("2024-03-01T10:00:00Z", "2024-03-01T19:00:00+09:00"),
        ("2024-03-01T10:00:00.123+0000", "2024-03-01T19:00:00.123000+09:00"),
        ("2024-03-01T10:00", "2024-03-01T10:00:00+09:00"),
        ("2024-03-01", "2024-03-01T00:00:00+09:00"),
        ("Fri, 01 Mar 2024 10:00:00 GMT", "2024-03-01T19:00:00+09:00"),
        ("입력 2024.03.01 10:00", "2024-03-01T10:00:00+09:00"),
        ("20240301", "2024-03-01T00:00:00+09:00"),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("2024-02-30", None),
        ("", None),
        ("now", None),
    ],
)
def test_machine_times_are_read_as_times_in_korea(stamp: str, expected: str | None) -> None:
    assert iso(machine_time(stamp)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2009년 03월 04일 (수) 10:11:12 김하늘 기자", "2009-03-04T10:11:12+09:00"),
        ("입력 2020. 3. 19. 13:45 수정 2020. 3. 20. 1:00", "2020-03-19T13:45:00+09:00"),
        ("작성일 2021-05-06 조회수 1,024", "2021-05-06T00:00:00+09:00"),
        ("2021/05/06 오후 2시 30분", "2021-05-06T14:30:00+09:00"),
        ("1234-56-78 그리고 2021.05.06", "2021-05-06T00:00:00+09:00"),
        ("전화 02-123-4567", None),
        ("5월 6일", None),
    ],
)
def test_the_first_day_of_a_line_is_found_with_its_clock(text: str, expected: str | None) -> None:
    assert iso(time_within(text)) == expected
