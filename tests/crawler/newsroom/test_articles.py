import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.newsroom.articles import KST, load, printed
from korbert.chain import shipped_articles
from korbert.errors import UsageError


def one(**fields: Any):
    (article,) = printed([{"id": "a", "text": "본문이다.", **fields}], "f")
    return article


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_shipped_articles_are_served_in_both_layouts():
    articles = load(shipped_articles())
    assert len(articles) >= 300
    assert 0.2 < sum(article.legacy for article in articles) / len(articles) < 0.8


@pytest.mark.shared
def test_real_articles_of_the_plain_format_load_with_their_own_dates(shared_data):
    articles = load(shared_data / "corpus" / "news.jsonl.zst", limit=2000)
    assert len({article.id for article in articles}) == 2000
    assert all(article.title and article.text and article.section == "일반" for article in articles)


def test_both_formats_give_the_same_kind_of_article():
    ours = one(press="한빛일보", section="경제", date="2023-05-06T07:08:09+09:00", title="제목")
    assert (ours.press, ours.section, ours.title) == ("한빛일보", "경제", "제목")
    assert ours.published == datetime(2023, 5, 6, 7, 8, 9, tzinfo=KST)
    plain = one(source="news/collection_2023", date="2023-05-06")
    assert (plain.press, plain.section, plain.title) == ("news/collection_2023", "일반", "본문이다.")
    assert plain.published.date().isoformat() == "2023-05-06"


def test_a_missing_date_is_the_same_at_every_load_and_within_the_years_that_are_crawled():
    days = {one(id=f"id-{i}").published for i in range(300)}
    assert days == {one(id=f"id-{i}").published for i in range(300)}
    assert len(days) > 250
    assert all(datetime(2011, 1, 1, tzinfo=KST) <= day < datetime(2026, 1, 1, tzinfo=KST) for day in days)


def test_times_of_other_zones_are_printed_in_korean_time():
    assert one(date="2022-12-31T15:00:00+00:00").published == datetime(2023, 1, 1, tzinfo=KST)
    assert one(date="2022-12-31T15:00:00+00:00").published.astimezone(UTC).year == 2022


def test_what_html_cannot_hold_is_not_printed():
    article = one(text="앞\x00뒤\x1a \ud800말\r\n\n  둘째\t줄 \x85 \n \n", title="제\n목\x07")
    assert article.paragraphs == ("앞뒤 말", "둘째 줄")
    assert article.title == "제 목"


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        ({"text": "본문"}, "id = None"),
        ({"id": True, "text": "본문"}, "id = True"),
        ({"id": "", "text": "본문"}, "id = ''"),
        ({"id": "a\n", "text": "본문"}, "id = "),
        ({"id": "x" * 201, "text": "본문"}, "id = "),
        ({"id": "a"}, "text = None"),
        ({"id": "a", "text": 3}, "text = 3"),
        ({"id": "a", "text": " \x00\n"}, "text: holds nothing"),
        ({"id": "a", "text": "본문", "title": ["x"]}, "title = ['x']"),
        ({"id": "a", "text": "본문", "date": "yesterday"}, "date = 'yesterday'"),
        ({"id": "a", "text": "본문", "date": 20230101}, "date = 20230101"),
        ({"id": "a", "text": "본문", "date": "0001-01-01T00:00:00+14:00"}, "date = "),
    ],
)
def test_a_record_that_is_no_article_is_named_by_file_line_and_field(record, complaint):
    with pytest.raises(UsageError) as caught:
        list(printed([{"id": "good", "text": "본문"}, record], "news.jsonl"))
    assert str(caught.value).startswith(f"news.jsonl line 2 (blank lines aside): {complaint}")
    assert "\n" not in str(caught.value)


def test_an_id_that_occurs_twice_is_refused(tmp_path):
    line = json.dumps({"id": 7, "text": "본문"})
    with pytest.raises(UsageError, match=r"line 2.*id '7' occurred before"):
        load(written(tmp_path / "a.jsonl", line, line))


def test_a_malformed_line_and_an_empty_file_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"a\.jsonl line 2: is not JSON"):
        load(written(tmp_path / "a.jsonl", json.dumps({"id": "a", "text": "본문"}), "{"))
    with pytest.raises(UsageError, match="holds no article"):
        load(written(tmp_path / "b.jsonl", ""))


def test_a_limit_takes_the_first_articles(tmp_path):
    path = written(tmp_path / "a.jsonl", *(json.dumps({"id": i, "text": "본문"}) for i in range(5)))
    assert [article.id for article in load(path, limit=2)] == ["0", "1"]
