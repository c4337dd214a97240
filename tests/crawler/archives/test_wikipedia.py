import bz2
import tracemalloc
from collections import Counter
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from crawler.archives import wikipedia
from crawler.archives.origin import Origin
from korbert.errors import UsageError

ORIGIN = Origin("wikipedia", "CC BY-SA 4.0", True, "a test")
HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="ko"><siteinfo><dbname>kowiki</dbname>'
    "<base>https://ko.wikipedia.org/wiki/x</base></siteinfo>\n"
)


def page(number: int, text: str, namespace: int = 0, more: str = "", model: str = "wikitext") -> str:
    return (
        f"<page><title>문서 {number}</title><ns>{namespace}</ns><id>{number}</id>{more}<revision><id>9{number}</id>"
        f"<timestamp>2024-05-06T07:08:09Z</timestamp><model>{model}</model>"
        f'<text bytes="1" xml:space="preserve">{escape(text)}</text></revision></page>\n'
    )


def dump(path: Path, *pages: str) -> Path:
    opened = bz2.open if path.suffix == ".bz2" else open
    with opened(path, "wb") as file:
        file.write((HEAD + "".join(pages) + "</mediawiki>").encode())
    return path


def read(path: Path, start: int = 0):
    skipped: Counter[str] = Counter()
    return list(wikipedia.read(str(path), start, ORIGIN, skipped)), skipped


@pytest.mark.parametrize("name", ["kowiki.xml.bz2", "kowiki.xml"])
def test_articles_are_read_and_other_pages_are_counted(tmp_path, name):
    path = dump(
        tmp_path / name,
        page(1, "'''서울'''은 대한민국의 [[수도]]이다."),
        page(2, "#넘겨주기 [[서울]]", more='<redirect title="서울" />'),
        page(3, "토론", namespace=1),
        page(4, "{}", model="json"),
        page(5, "{{정보상자}}\n[[분류:도시]]"),
        page(6, "[[부산광역시|부산]]은 항구다."),
    )
    rows, skipped = read(path)
    assert [(p, a.native_id, a.text) for p, a in rows] == [
        (1, "1", "서울은 대한민국의 수도이다."),
        (6, "6", "부산은 항구다."),
    ]
    assert skipped == {"redirect": 1, "namespace": 1, "no wikitext": 1, "no text": 1}
    article = rows[0][1]
    assert article.url == "https://ko.wikipedia.org/wiki/%EB%AC%B8%EC%84%9C_1"
    assert article.published_at.isoformat() == "2024-05-06T07:08:09+00:00"
    assert (article.licence, article.may_train) == ("CC BY-SA 4.0", True)


def test_reading_goes_on_from_every_position_as_if_it_had_never_stopped(tmp_path):
    path = dump(tmp_path / "k.xml.bz2", *(page(i, f"{i}번 문서이다.", namespace=i % 2) for i in range(1, 9)))
    whole, _ = read(path)
    assert [p for p, _ in whole] == [2, 4, 6, 8]
    for i, (position, _) in enumerate(whole):
        assert read(path, position)[0] == whole[i + 1 :]


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("'''굵은''' ''기운'' 글", "굵은 기운 글"),
        ("[[파일:a.jpg|섬네일|[[서울]]의 사진]]글이다.", "글이다."),
        ("글[[분류:도시]][[en:Seoul]]", "글"),
        ("인구는 많다.<ref>통계청, 2020</ref> 넓다.<ref name=a />", "인구는 많다. 넓다."),
        ("{{정보상자\n|이름 = 값\n|안 = {{작은 틀}}\n}}첫 문장.", "첫 문장."),
        ('{| class="wikitable"\n! 가\n|-\n| 나\n|}\n본문.', "본문."),
        ("== 역사 ==\n글 하나.\n=== 근대 ===\n글 둘.", "글 하나.\n글 둘."),
        ("글.\n== 같이 보기 ==\n* [[다른 것]]\n== 각주 ==\n{{각주}}", "글."),
        ("* 하나\n** 둘\n# 셋\n: 넷", "하나\n둘\n셋\n넷"),
        ("서울({{lang|en|Seoul}})은 &amp;lt; 도시다.<!-- 숨김 -->__목차__", "서울은 &lt; 도시다."),
        ("[https://a.example 누리집]과 https://b.example", "누리집과 https://b.example"),
        ("<math>x^2</math>은 제곱이다.<br />줄", "은 제곱이다.\n줄"),
        ("{{" * 500 + "[[" * 500, "{{" * 500 + "[[" * 500),
        ("", ""),
    ],
)
def test_wikitext_becomes_its_running_text(wikitext, expected):
    assert wikipedia.plain_text(wikitext) == expected


def test_a_damaged_dump_gives_what_came_before_and_then_an_error(tmp_path):
    path = dump(tmp_path / "k.xml.bz2", *(page(i, f"{i}번 문서이다. " * 50) for i in range(1, 50)))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UsageError, match="after page"):
        read(path)
    cut = tmp_path / "k.xml"
    cut.write_text(HEAD + page(1, "하나.") + "<page><title>둘</tit")
    rows = []
    with pytest.raises(UsageError, match="no XML after page 1"):
        rows.extend(wikipedia.read(str(cut), 0, ORIGIN, Counter()))
    assert [a.native_id for _, a in rows] == ["1"]


def test_an_entity_that_swells_or_reads_a_file_gives_nothing(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("비밀")
    path = tmp_path / "k.xml"
    body = page(1, "글 START").replace("START", "&big;&file;")
    path.write_text(
        f'<!DOCTYPE mediawiki [<!ENTITY big "크다"><!ENTITY file SYSTEM "{secret}">]>' + HEAD + body + "</mediawiki>"
    )
    ((_, article),), _ = read(path)
    assert "비밀" not in article.text


def test_memory_does_not_grow_with_the_dump(tmp_path):
    def peak(count: int) -> int:
        path = dump(tmp_path / f"{count}.xml", *(page(i, "글이다. " * 2000, namespace=1) for i in range(count)))
        tracemalloc.start()
        read(path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(400) < 2 * peak(20) + 1_000_000
